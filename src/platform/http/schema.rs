//! Bodies are held against the JSON Schema of their type, the same that the OpenAPI document publishes, so that all
//! faults of a request are reported at once and clients can check by the same rules.

use crate::kernel::{Error, Fault, Result};
use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use serde_json::{Value, json};
use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, RwLock};
use utoipa::ToSchema;

static VALIDATORS: LazyLock<RwLock<HashMap<TypeId, Arc<Validator>>>> = LazyLock::new(RwLock::default);

/// Every fault of a JSON value that should be a `T`, with pointers behind `prefix`.
pub fn validate_json<T: ToSchema + 'static>(value: &Value, prefix: &str) -> Result<Vec<Fault>> {
    let validator = validator::<T>()?;
    let mut faults = Vec::new();
    for error in validator.iter_errors(value) {
        collect(&error, prefix, &mut faults);
    }
    Ok(faults)
}

fn validator<T: ToSchema + 'static>() -> Result<Arc<Validator>> {
    let known = VALIDATORS.read().ok().and_then(|v| v.get(&TypeId::of::<T>()).cloned());
    if let Some(validator) = known {
        return Ok(validator);
    }
    let mut schemas = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut schemas);
    let components: serde_json::Map<String, Value> = schemas
        .into_iter()
        .map(|(name, schema)| Ok((name, serde_json::to_value(schema)?)))
        .collect::<Result<_>>()?;
    let document = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": format!("#/components/schemas/{}", T::name()),
        "components": {"schemas": components},
    });
    let validator = jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&document)
        .map_err(|e| Error::internal(format!("the schema of {} does not compile: {e}", T::name())))?;
    let validator = Arc::new(validator);
    if let Ok(mut all) = VALIDATORS.write() {
        all.insert(TypeId::of::<T>(), validator.clone());
    }
    Ok(validator)
}

fn collect(error: &jsonschema::ValidationError<'_>, prefix: &str, faults: &mut Vec<Fault>) {
    let at = format!("{prefix}{}", error.instance_path());
    match error.kind() {
        // An optional object is "null or T": the faults of the T branch are the ones that help.
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            let best = context.iter().filter(|branch| !branch.iter().any(is_null_type)).min_by_key(|b| b.len());
            match best {
                Some(branch) if !branch.is_empty() => branch.iter().for_each(|e| collect(e, prefix, faults)),
                _ => faults.push(Fault::new(at, "invalid", error.masked().to_string())),
            }
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            faults.extend(unexpected.iter().map(|name| {
                Fault::new(format!("{at}/{}", escape(name)), "unknown_field", "there is no such field")
            }));
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            faults.push(Fault::new(format!("{at}/{}", escape(name)), "required", "this field is required"));
        }
        // Masked: the value may be a secret, and faults are logged.
        kind => faults.push(Fault::new(at, code(kind), error.masked().to_string())),
    }
}

fn is_null_type(error: &jsonschema::ValidationError<'_>) -> bool {
    matches!(error.kind(), ValidationErrorKind::Type { kind } if format!("{kind:?}").contains("Null"))
}

/// RFC 6901 section 3.
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn code(kind: &ValidationErrorKind) -> &'static str {
    match kind {
        ValidationErrorKind::Type { .. } => "wrong_type",
        ValidationErrorKind::MinLength { .. } | ValidationErrorKind::MinItems { .. } => "too_short",
        ValidationErrorKind::MaxLength { .. }
        | ValidationErrorKind::MaxItems { .. }
        | ValidationErrorKind::MaxProperties { .. } => "too_long",
        ValidationErrorKind::Minimum { .. } | ValidationErrorKind::ExclusiveMinimum { .. } => "too_small",
        ValidationErrorKind::Maximum { .. } | ValidationErrorKind::ExclusiveMaximum { .. } => "too_large",
        ValidationErrorKind::Pattern { .. } | ValidationErrorKind::Format { .. } => "wrong_format",
        ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. } => "unknown_value",
        _ => "invalid",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Outer {
        #[schema(min_length = 1, max_length = 4, pattern = "^[a-z]+$")]
        name: String,
        inner: Option<Inner>,
        id: Option<uuid::Uuid>,
    }

    #[derive(serde::Deserialize, ToSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Inner {
        #[schema(minimum = 1, maximum = 9)]
        n: i32,
    }

    #[test]
    fn every_fault_is_reported_with_its_pointer() {
        let bad = json!({"name": "TOOLONG", "inner": {"n": 10, "m": 1}, "x": 1, "id": "no"});
        let mut found: Vec<_> =
            validate_json::<Outer>(&bad, "").unwrap().into_iter().map(|f| format!("{} {}", f.pointer, f.code)).collect();
        found.sort();
        assert_eq!(
            found,
            [
                "/id wrong_format",
                "/inner/m unknown_field",
                "/inner/n too_large",
                "/name too_long",
                "/name wrong_format",
                "/x unknown_field"
            ]
        );
    }

    #[test]
    fn a_good_body_has_no_fault() {
        assert!(validate_json::<Outer>(&json!({"name": "ab", "inner": null}), "").unwrap().is_empty());
    }
}
