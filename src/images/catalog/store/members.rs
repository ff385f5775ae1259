//! `image_members`, and how images stand to people.

use super::super::model::{ImageRole, Visibility};
use crate::images::registry::{Place, RepositoryName};
use crate::kernel::Result;
use crate::kernel::ids::{ImageId, ProjectId, UserId};
use crate::platform::db::{SystemTx, TenantConnection, TenantTx, violated_constraint};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A member without what the directory of people knows.
pub struct MemberRow {
    pub user_id: UserId,
    pub role: ImageRole,
    pub added_at: DateTime<Utc>,
}

pub async fn list(tx: &mut TenantTx, image: ImageId, after: Option<Uuid>, limit: i64) -> Result<Vec<MemberRow>> {
    let tenant = tx.tenant_id();
    let rows = sqlx::query!(
        "select user_id, role, added_at from image_members
         where tenant_id = $1 and image_id = $2 and ($3::uuid is null or user_id > $3) order by user_id limit $4",
        tenant.0,
        image.0,
        after,
        limit
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|r| Ok(MemberRow { user_id: r.user_id.into(), role: r.role.parse()?, added_at: r.added_at }))
        .collect()
}

/// The role of a person on an image.
pub async fn role(tx: &mut TenantTx, image: ImageId, user: UserId) -> Result<Option<ImageRole>> {
    let tenant = tx.tenant_id();
    let role = sqlx::query_scalar!(
        "select role from image_members where tenant_id = $1 and image_id = $2 and user_id = $3",
        tenant.0,
        image.0,
        user.0
    )
    .fetch_optional(&mut **tx)
    .await?;
    role.map(|text| text.parse()).transpose()
}

/// Since when the person is a member; none when they do not belong to the tenant.
pub async fn set(
    tx: &mut TenantTx,
    image: ImageId,
    user: UserId,
    role: ImageRole,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>> {
    let tenant = tx.tenant_id();
    let added = sqlx::query_scalar!(
        "insert into image_members (tenant_id, image_id, user_id, role, added_at) values ($1, $2, $3, $4, $5)
         on conflict (tenant_id, image_id, user_id) do update set role = excluded.role
         returning added_at",
        tenant.0,
        image.0,
        user.0,
        role.as_str(),
        now
    )
    .fetch_one(&mut **tx)
    .await;
    match added {
        Ok(added) => Ok(Some(added)),
        Err(e) if violated_constraint(&e) == Some("image_members_member") => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// False when there was none.
pub async fn remove(tx: &mut TenantTx, image: ImageId, user: UserId) -> Result<bool> {
    let tenant = tx.tenant_id();
    let done = sqlx::query!(
        "delete from image_members where tenant_id = $1 and image_id = $2 and user_id = $3",
        tenant.0,
        image.0,
        user.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Who may see the image of a name, and the person's role on it.
pub async fn standing(
    at: &mut impl TenantConnection,
    project: ProjectId,
    name: &str,
    user: Option<UserId>,
) -> Result<Option<(Visibility, Option<ImageRole>)>> {
    let tenant = at.tenant_id();
    let row = sqlx::query!(
        r#"select i.visibility, m.role as "role?"
           from images i left join image_members m on m.tenant_id = $1 and m.image_id = i.id and m.user_id = $4
           where i.tenant_id = $1 and i.project_id = $2 and i.name = $3"#,
        tenant.0,
        project.0,
        name,
        user.map(|u| u.0)
    )
    .fetch_optional(&mut **at)
    .await?;
    row.map(|r| Ok((r.visibility.parse()?, r.role.map(|text| text.parse()).transpose()?))).transpose()
}

/// Whether an image of the project is for those alone who belong to it.
pub async fn any_closed(at: &mut impl TenantConnection, project: ProjectId) -> Result<bool> {
    let tenant = at.tenant_id();
    Ok(sqlx::query_scalar!(
        r#"select exists (select from images
                          where tenant_id = $1 and project_id = $2 and visibility = 'project') as "any!""#,
        tenant.0,
        project.0
    )
    .fetch_one(&mut **at)
    .await?)
}

/// Where the public image of a full name is.
pub async fn public_place(tx: &mut SystemTx, name: &RepositoryName) -> Result<Option<Place>> {
    let row = sqlx::query!(
        "select tenant_id, project_id from images where repository = $1 and visibility = 'public'",
        name.as_str()
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(row.map(|r| Place { tenant_id: r.tenant_id.into(), project_id: r.project_id.into() }))
}
