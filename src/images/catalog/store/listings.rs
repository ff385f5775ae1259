//! Images that somebody may see, in order. What they may not see costs nothing: each list is merged from lanes, which are
//! parts of an index that they see all of.

use super::super::model::{Image, ImageType, Lifecycle, Visibility};
use super::{Row, images};
use crate::kernel::Result;
use crate::kernel::ids::{ImageId, ProjectId, UserId};
use crate::platform::db::TenantTx;
use crate::tenancy::access::{Caller, Permission};
use uuid::Uuid;

/// The images that somebody may see: those of projects, and those on which they have a role.
pub struct Reach {
    /// Of these projects; of all when none.
    projects: Option<Vec<Uuid>>,
    /// Of these projects those too that are closed to everybody outside; of all when none.
    inside: Option<Vec<Uuid>>,
    /// With a role of this person.
    member: Option<UserId>,
    /// Of this project alone, whatever else there is.
    only: Option<ProjectId>,
}

/// Whole parts of the catalogue: images of a visibility, in the tenant or in a project.
#[derive(Debug, Default)]
struct Lanes {
    of_tenant: Vec<String>,
    projects: Vec<Uuid>,
    /// One for each of the projects.
    of_projects: Vec<String>,
}

impl Reach {
    /// What the caller may pull. Forbidden for who may pull nothing by right.
    pub fn of(caller: &Caller) -> Result<Self> {
        let tenant = caller.tenant()?;
        let projects = caller.projects_with(Permission::ImagePull)?;
        Ok(Self {
            projects: projects.map(|list| list.iter().map(|p| p.0).collect()),
            inside: tenant.member_of.as_ref().map(|all| all.iter().map(|p| p.0).collect()),
            member: caller.user_id.filter(|_| tenant.scopes.has(Permission::ImagePull)),
            only: tenant.only_project,
        })
    }

    /// As far as it lies in a project.
    pub fn within(self, project: ProjectId) -> Self {
        Self { only: Some(project), ..self }
    }

    fn is_inside(&self, project: Uuid) -> bool {
        self.inside.as_ref().is_none_or(|all| all.contains(&project))
    }

    fn lanes(&self) -> Lanes {
        let only = self.only.map(|p| p.0);
        match (&self.projects, only) {
            (None, None) => self.lanes_of_tenant(),
            (None, Some(only)) => self.lanes_of_projects([only]),
            (Some(projects), _) => {
                self.lanes_of_projects(projects.iter().copied().filter(|p| only.is_none_or(|only| only == *p)))
            }
        }
    }

    fn lanes_of_tenant(&self) -> Lanes {
        let mut lanes = Lanes::default();
        let open = Visibility::ALL.iter().filter(|v| self.inside.is_none() || **v != Visibility::Project);
        lanes.of_tenant.extend(open.map(|v| v.as_str().to_owned()));
        for project in self.inside.iter().flatten() {
            lanes.add(*project, Visibility::Project);
        }
        lanes
    }

    fn lanes_of_projects(&self, projects: impl IntoIterator<Item = Uuid>) -> Lanes {
        let mut lanes = Lanes::default();
        for project in projects {
            for visibility in Visibility::ALL {
                if *visibility != Visibility::Project || self.is_inside(project) {
                    lanes.add(project, *visibility);
                }
            }
        }
        lanes
    }
}

impl Lanes {
    fn add(&mut self, project: Uuid, visibility: Visibility) {
        self.projects.push(project);
        self.of_projects.push(visibility.as_str().to_owned());
    }
}

/// Which images to list.
pub struct Wanted<'a> {
    /// Whose.
    pub reach: &'a Reach,
    pub name: Option<&'a str>,
    pub lifecycle: Option<Lifecycle>,
    pub image_type: Option<ImageType>,
    pub search: Search,
    /// Older than this one.
    pub before: Option<ImageId>,
    pub limit: i64,
}

/// Images that are looked for.
pub enum Search {
    /// All of them.
    Everything,
    /// These.
    Images(Vec<ImageId>),
    /// Those with a term from `low` up to `high`.
    Term { low: String, high: String },
}

/// Images, newest first.
pub async fn list(tx: &mut TenantTx, wanted: &Wanted<'_>) -> Result<Vec<Image>> {
    let tenant = tx.tenant_id();
    let Reach { projects, inside, member, only } = wanted.reach;
    let (member, only) = (member.map(|u| u.0), only.map(|p| p.0));
    let before = wanted.before.map_or(Uuid::max(), |i| i.0);
    let lifecycle = wanted.lifecycle.map(Lifecycle::as_str);
    let image_type = wanted.image_type.map(ImageType::as_str);
    let lanes = wanted.reach.lanes();
    macro_rules! seen {
        (@merged $found:literal, $wanted:literal $(, $term:expr)*) => {
            images!(
                ["where i.tenant_id = $1 and i.id in (
                      select s.id from unnest($2::text[]) as lane (visibility)
                      cross join lateral (
                          select i.id from images i " $found "
                          where i.tenant_id = $1 and i.visibility = lane.visibility " $wanted ") as s
                      union all
                      select s.id from unnest($3::uuid[], $4::text[]) as lane (project_id, visibility)
                      cross join lateral (
                          select i.id from images i " $found "
                          where i.tenant_id = $1 and i.project_id = lane.project_id
                            and i.visibility = lane.visibility " $wanted ") as s
                      union all
                      (select i.id
                       from image_members r join images i on i.tenant_id = $1 and i.id = r.image_id " $found "
                       where r.tenant_id = $1 and r.user_id = $5
                         and ($11::uuid is null or i.project_id = $11) " $wanted "))
                  order by i.id desc limit $10"],
                tenant.0,
                &lanes.of_tenant,
                &lanes.projects,
                &lanes.of_projects,
                member,
                before,
                wanted.name,
                lifecycle,
                image_type,
                wanted.limit,
                only
                $(, $term)*
            )
            .fetch_all(&mut **tx)
            .await?
        };
        ($found:literal $(, $term:expr)*) => {
            seen!(@merged
                $found,
                " and i.id < $6 and ($7::text is null or i.name = $7) and ($8::text is null or i.lifecycle = $8)
                  and ($9::text is null or i.image_type = $9) order by i.id desc limit $10"
                $(, $term)*
            )
        };
    }
    let rows = match &wanted.search {
        Search::Everything => seen!(""),
        // They are few: each is looked at.
        Search::Images(found) => {
            let found: Vec<Uuid> = found.iter().map(|i| i.0).collect();
            images!(
                ["where i.tenant_id = $1 and i.id = any ($2) and ($3::uuid is null or i.project_id = $3)
                    and ($4::text is null or i.name = $4) and i.id < $5
                    and ($6::text is null or i.lifecycle = $6) and ($7::text is null or i.image_type = $7)
                    and (($8::uuid[] is null or i.project_id = any ($8))
                         and (i.visibility <> 'project' or $9::uuid[] is null or i.project_id = any ($9))
                         or exists (select from image_members r
                                    where r.tenant_id = $1 and r.image_id = i.id and r.user_id = $10))
                  order by i.id desc limit $11"],
                tenant.0,
                &found,
                only,
                wanted.name,
                before,
                lifecycle,
                image_type,
                projects.as_deref(),
                inside.as_deref(),
                member,
                wanted.limit
            )
            .fetch_all(&mut **tx)
            .await?
        }
        // Images are looked at from the newest on until enough have the term: many have it, else it would be few images.
        Search::Term { low, high } => seen!(
            "cross join lateral (select from image_terms t
                                 where t.tenant_id = $1 and t.image_id = i.id and t.term >= $12 and t.term < $13
                                 limit 1) as found",
            low,
            high
        ),
    };
    rows.into_iter().map(Image::try_from).collect()
}

/// Full names after `last`, in the order of their bytes.
pub async fn repositories(tx: &mut TenantTx, reach: &Reach, last: &str, limit: i64) -> Result<Vec<String>> {
    let tenant = tx.tenant_id();
    let lanes = reach.lanes();
    Ok(sqlx::query_scalar!(
        r#"select name as "name!" from (
               select s.repository from unnest($2::text[]) as lane (visibility)
               cross join lateral (
                   select i.repository from images i
                   where i.tenant_id = $1 and i.visibility = lane.visibility and i.repository > $7
                   order by i.repository limit $8) as s
               union
               select s.repository from unnest($3::uuid[], $4::text[]) as lane (project_id, visibility)
               cross join lateral (
                   select i.repository from images i
                   where i.tenant_id = $1 and i.project_id = lane.project_id and i.visibility = lane.visibility
                     and i.repository > $7
                   order by i.repository limit $8) as s
               union
               select i.repository from image_members r join images i on i.tenant_id = $1 and i.id = r.image_id
               where r.tenant_id = $1 and r.user_id = $5 and ($6::uuid is null or i.project_id = $6)
                 and i.repository > $7) as seen (name)
           order by name limit $8"#,
        tenant.0,
        &lanes.of_tenant,
        &lanes.projects,
        &lanes.of_projects,
        reach.member.map(|u| u.0),
        reach.only.map(|p| p.0),
        last,
        limit
    )
    .fetch_all(&mut **tx)
    .await?)
}

/// Full names after `last` that begin with `within` and match a pattern, in which `*` stands for any characters; in the
/// order of their bytes. Read is what begins as a pattern does, so one that begins with a star reads all of `within`.
pub async fn matching(
    tx: &mut TenantTx,
    within: &str,
    patterns: &[String],
    last: &str,
    limit: i64,
) -> Result<Vec<String>> {
    let tenant = tx.tenant_id();
    let ranges = patterns.iter().map(|pattern| range(within, pattern));
    let (low, high): (Vec<String>, Vec<String>) = ranges.unzip();
    let like: Vec<String> = patterns.iter().map(|p| p.replace('_', r"\_").replace('*', "%")).collect();
    let visibilities: Vec<String> = Visibility::ALL.iter().map(|v| v.as_str().to_owned()).collect();
    Ok(sqlx::query_scalar!(
        "select distinct s.repository
         from unnest($2::text[], $3::text[], $4::text[]) as pattern (low, high, text)
         cross join unnest($5::text[]) as lane (visibility)
         cross join lateral (
             select i.repository from images i
             where i.tenant_id = $1 and i.visibility = lane.visibility and i.repository > $6
               and i.repository >= pattern.low and i.repository < pattern.high and i.repository like pattern.text
             order by i.repository limit $7) as s
         order by s.repository limit $7",
        tenant.0,
        &low,
        &high,
        &like,
        &visibilities,
        last,
        limit
    )
    .fetch_all(&mut **tx)
    .await?)
}

/// Between which texts, the first included, lies what begins with `within` and may match the pattern.
fn range(within: &str, pattern: &str) -> (String, String) {
    let after_all = |beginning: &str| format!("{beginning}{}", char::MAX);
    let (beginning, end) = match pattern.split_once('*') {
        Some((beginning, _)) => (beginning, after_all(beginning)),
        // No name comes between.
        None => (pattern, format!("{pattern}\u{1}")),
    };
    (within.max(beginning).to_owned(), after_all(within).min(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_what_may_match_and_nothing_else() {
        let holds = |within: &str, pattern: &str, name: &str| {
            let (low, high) = range(within, pattern);
            low.as_str() <= name && name < high.as_str()
        };
        for (within, pattern, name) in [
            ("acme/", "acme/*", "acme/hello/web"),
            ("acme/hello/", "acme/*", "acme/hello/web"),
            ("acme/", "acme/hello/w*b", "acme/hello/web"),
            ("acme/", "acme/hello/web", "acme/hello/web"),
        ] {
            assert!(holds(within, pattern, name), "{within} {pattern} {name}");
        }
        for (within, pattern, name) in [
            ("acme/hello/", "acme/*", "acme/hello-b/web"),
            ("acme/hello/", "acme/second/*", "acme/second/web"),
            ("acme/", "acme/hello/web", "acme/hello/web2"),
            ("acme/", "acme/hello/web", "acme/hello/web/api"),
            ("acme/", "acme/hello/w*", "acme/hello/api"),
        ] {
            assert!(!holds(within, pattern, name), "{within} {pattern} {name}");
        }
    }

    #[test]
    fn lanes_are_what_is_seen() {
        let [first, second] = [Uuid::from_u128(1), Uuid::from_u128(2)];
        let lanes = |projects: Option<&[Uuid]>, inside: Option<&[Uuid]>, only: Option<Uuid>| {
            let (projects, inside) = (projects.map(<[_]>::to_vec), inside.map(<[_]>::to_vec));
            let lanes = Reach { projects, inside, member: None, only: only.map(Into::into) }.lanes();
            let of_projects =
                lanes.projects.iter().zip(&lanes.of_projects).map(|(p, v)| format!("{}:{v}", p.as_u128()));
            let mut all: Vec<String> = lanes.of_tenant.into_iter().chain(of_projects).collect();
            all.sort();
            all.join(" ")
        };
        assert_eq!(lanes(None, None, None), "project public tenant");
        assert_eq!(lanes(None, Some(&[first]), None), "1:project public tenant");
        assert_eq!(lanes(None, Some(&[first]), Some(first)), "1:project 1:public 1:tenant");
        assert_eq!(lanes(None, Some(&[first]), Some(second)), "2:public 2:tenant");
        assert_eq!(
            lanes(Some(&[first, second]), Some(&[first]), None),
            "1:project 1:public 1:tenant 2:public 2:tenant"
        );
        assert_eq!(lanes(Some(&[first]), None, Some(second)), "");
    }
}
