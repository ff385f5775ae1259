//! States and kinds that are stored and sent as text.

use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

/// Declares an enum whose variants are text: `as_str`, `FromStr`, serde and the OpenAPI schema agree on it.
macro_rules! text_enum {
    ($(#[doc = $about:literal])+ $vis:vis enum $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        $vis enum $name {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// As stored and sent.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::kernel::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|v| v.as_str() == s).ok_or_else(|| {
                    $crate::kernel::Error::invalid("value.unknown", format!("{s} is no {}", stringify!($name)))
                })
            }
        }

        $crate::kernel::text_schema!($name, concat!($($about),+), [$($text),+]);
    };
}

/// The OpenAPI schema of such an enum. (The derive does not see a `rename` that a macro wrote.)
macro_rules! text_schema {
    ($name:ident, $about:expr, [$($text:literal),+]) => {
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::kernel::text_enum_schema($about, &[$($text),+])
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }
    };
}

pub(crate) use {text_enum, text_schema};

/// A string that is one of these.
pub(crate) fn text_enum_schema(about: &str, values: &[&str]) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .description(Some(about.trim()))
        .enum_values(Some(values.iter().copied()))
        .into()
}
