//! Generated files that are committed: written by one command, compared by the same one in CI.

use std::io;
use std::path::PathBuf;

/// A file as it should be.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// Where it lies.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

impl Artifact {
    /// Writes the file, and its directory.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn write(&self) -> io::Result<()> {
        if let Some(directory) = self.path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        std::fs::write(&self.path, &self.text)
    }

    /// Tells whether the file says what it should; one that is not there does not.
    #[must_use]
    pub fn is_current(&self) -> bool {
        std::fs::read_to_string(&self.path).is_ok_and(|text| text == self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_current_when_it_is_written_and_stale_when_missing_or_altered() {
        let directory = tempfile::tempdir().unwrap();
        let artifact = Artifact { path: directory.path().join("new/file"), text: "as generated".into() };
        assert!(!artifact.is_current());
        artifact.write().unwrap();
        assert!(artifact.is_current());
        std::fs::write(&artifact.path, "as generateD").unwrap();
        assert!(!artifact.is_current());
    }
}
