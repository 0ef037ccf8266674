//! The service model, as extracted into `model.json` by `extract_model.py`.

use regex::Regex;
use serde_json::{Map, Value, json};

pub(crate) struct Model(Value);

impl Model {
    pub(crate) fn load() -> Self {
        Self(serde_json::from_str(include_str!("../model.json")).unwrap())
    }

    /// The names of all operations.
    pub(crate) fn all_operations(&self) -> Vec<&str> {
        self.0["all_operations"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
    }

    /// The served operations with the names of their input and output shapes.
    pub(crate) fn served(&self) -> impl Iterator<Item = (&str, &str, Option<&str>)> {
        let operations = self.0["operations"].as_object().unwrap();
        operations
            .iter()
            .map(|(name, shapes)| (name.as_str(), shapes["input"].as_str().unwrap(), shapes["output"].as_str()))
    }

    pub(crate) fn shape(&self, name: &str) -> Shape<'_> {
        Shape { model: self, json: self.0["shapes"].get(name).unwrap_or_else(|| panic!("no shape {name}")) }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Shape<'m> {
    model: &'m Model,
    json: &'m Value,
}

impl<'m> Shape<'m> {
    pub(crate) fn kind(&self) -> &'m str {
        self.json["type"].as_str().unwrap()
    }

    pub(crate) fn min(&self) -> Option<i64> {
        self.json["min"].as_i64()
    }

    pub(crate) fn max(&self) -> Option<i64> {
        self.json["max"].as_i64()
    }

    pub(crate) fn pattern(&self) -> Option<&'m str> {
        self.json["pattern"].as_str()
    }

    pub(crate) fn values(&self) -> Vec<&'m str> {
        self.json["enum"]
            .as_array()
            .map_or_else(Vec::new, |values| values.iter().map(|v| v.as_str().unwrap()).collect())
    }

    pub(crate) fn member(&self) -> Self {
        self.model.shape(self.json["member"].as_str().unwrap())
    }

    pub(crate) fn key(&self) -> Self {
        self.model.shape(self.json["key"].as_str().unwrap())
    }

    pub(crate) fn value(&self) -> Self {
        self.model.shape(self.json["value"].as_str().unwrap())
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = (&'m str, Self)> {
        let model = self.model;
        let members = self.json["members"].as_object().unwrap();
        members.iter().map(move |(name, shape)| (name.as_str(), model.shape(shape.as_str().unwrap())))
    }

    pub(crate) fn requires(&self, member: &str) -> bool {
        self.json["required"].as_array().is_some_and(|names| names.iter().any(|name| name == member))
    }

    pub(crate) fn regex(&self) -> Option<Regex> {
        self.pattern().map(|pattern| Regex::new(&format!("^(?:{pattern})$")).unwrap())
    }

    /// A valid value, with every member of structures and one element of lists.
    pub(crate) fn sample(&self) -> Value {
        match self.kind() {
            "string" => json!(self.sample_text()),
            "integer" | "long" => json!(self.min().unwrap_or(24)),
            "boolean" => json!(true),
            "timestamp" => json!(1_700_000_000.123),
            "blob" => json!("AAE="),
            "list" => json!([self.member().sample()]),
            "map" => json!({ self.key().sample_text(): self.value().sample() }),
            "structure" => Value::Object(
                self.members().map(|(name, shape)| (name.to_owned(), shape.sample())).collect::<Map<_, _>>(),
            ),
            other => panic!("no sample for {other}"),
        }
    }

    pub(crate) fn sample_text(&self) -> String {
        const TEXTS: [&str; 4] =
            ["0", "name", "arn:aws:kinesis:us-east-1:123456789012:stream/name", "abcdefghij0123456789-abc"];
        if let Some(value) = self.values().first() {
            return (*value).to_owned();
        }
        let fits = |text: &&&str| self.regex().is_none_or(|regex| regex.is_match(text));
        (*TEXTS.iter().find(fits).unwrap()).to_owned()
    }
}

/// The name of a member as AWS writes it in messages.
pub(crate) fn lower_first(name: &str) -> String {
    name[..1].to_lowercase() + &name[1..]
}
