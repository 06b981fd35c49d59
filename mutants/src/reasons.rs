//! What may survive, and why.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The reasons, as they are written.
#[derive(Default, Deserialize)]
pub(crate) struct Reasons {
    #[serde(default)]
    reason: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    why: String,
    mutants: Vec<String>,
}

impl Reasons {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let reasons: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        match reasons.reason.iter().find(|reason| reason.why.len() < 20) {
            Some(reason) => Err(format!("no reason: {:?}", reason.why)),
            None => Ok(reasons),
        }
    }

    /// Each mutant that may survive, by its lasting name, and why.
    pub(crate) fn all<'a>(&'a self) -> BTreeMap<&'a str, &'a str> {
        let named =
            |reason: &'a Reason| reason.mutants.iter().map(move |name| (name.as_str(), reason.why.as_str()));
        self.reason.iter().flat_map(named).collect()
    }
}
