use crate::levels::Code;

/// That a configuration's JSON Schema lets the recipe name each of `codes` under `levels`, and nothing else.
///
/// # Panics
/// It does not.
#[track_caller]
pub fn assert_schema_names(schema: &str, codes: &[Code]) {
    let schema: serde_json::Value = serde_json::from_str(schema).expect("the schema is JSON");
    let named = &schema["properties"]["levels"]["propertyNames"]["enum"];
    let codes: Vec<&str> = codes.iter().map(|code| code.name).collect();
    assert_eq!(*named, serde_json::json!(codes), "the codes that the schema names under `levels`");
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = r#"{ "properties": { "levels": { "propertyNames": { "enum": ["bad", "odd"] } } } }"#;

    #[test]
    fn a_schema_that_names_all_codes_passes() {
        assert_schema_names(SCHEMA, &[Code::error("bad"), Code::warning("odd")]);
    }

    #[test]
    #[should_panic(expected = "names under `levels`")]
    fn a_code_that_the_schema_forgets_is_found() {
        assert_schema_names(SCHEMA, &[Code::error("bad"), Code::warning("odd"), Code::info("new")]);
    }
}
