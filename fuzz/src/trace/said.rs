//! What a line says, whichever way it is written.

use serde_json::Value;

/// Checks that a line that was written says what the text says: every field that it has is the text's, and what it
/// leaves out is what an absent field means anyway.
pub(super) fn all(text: &[u8], written: &str) {
    let (Value::Object(said), Value::Object(mut written)) = (
        serde_json::from_slice(text).expect("it was read"),
        serde_json::from_str(written).expect("it was written"),
    ) else {
        panic!("a line is an object")
    };
    for (name, value) in &said {
        match written.remove(name) {
            Some(again) => assert_eq!(same(&again), same(value), "{name}"),
            None => assert!(is_default(value), "{name} is lost: {value}"),
        }
    }
    for (name, value) in &written {
        assert!(is_added(name), "{name} was not said: {value}");
    }
}

/// What a field that is left out may have said.
fn is_default(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => true,
        Value::Object(fields) => fields.is_empty(),
        Value::Array(all) => all.is_empty(),
        Value::String(word) => word == "pass",
        Value::Number(_) => false,
    }
}

/// What the header says of itself even if the text does not.
fn is_added(name: &str) -> bool {
    ["cpus", "somaxconn", "synack_retries", "fastopen_charged"].contains(&name)
}

/// Addresses can be written in several ways, and numbers as text where they are names.
fn same(value: &Value) -> Value {
    match value {
        Value::String(text) => match text.parse::<std::net::IpAddr>() {
            Ok(address) => Value::String(address.to_string()),
            Err(_) => value.clone(),
        },
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (named(name), same(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(all) => all.iter().map(same).collect(),
        _ => value.clone(),
    }
}

fn named(name: &str) -> String {
    name.parse::<u32>().map_or_else(|_| name.to_owned(), |number| number.to_string())
}
