//! What an import did.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Counts of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// What the rows are: `sales`, `stores`.
    pub what: &'static str,
    /// Rows of the file.
    pub read: usize,
    /// Rows that are in the database now.
    pub written: usize,
    /// Rows that are not.
    pub rejected: usize,
    /// Where those are.
    pub rejects: Option<PathBuf>,
    /// Reasons with their counts, most frequent first.
    pub reasons: Vec<(String, usize)>,
    /// What was mended or added, with counts; in the words of the option that rules it.
    pub notes: Vec<(String, usize)>,
    /// Columns of the file that were not used.
    pub unused: Vec<String>,
    /// Wall time.
    pub elapsed: Duration,
}

impl Summary {
    /// Notes a mending, if there was any.
    pub(super) fn note(&mut self, text: impl Into<String>, count: usize) {
        if count > 0 {
            self.notes.push((text.into(), count));
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.elapsed.as_secs_f64();
        write!(f, "{}: {} rows read, {} written", self.what, self.read, self.written)?;
        writeln!(f, " in {seconds:.2} s ({:.0} rows/s)", self.read as f64 / seconds.max(1e-9))?;
        for (note, count) in &self.notes {
            writeln!(f, "  {count:>8}  {note}")?;
        }
        if let Some(rejects) = &self.rejects {
            writeln!(f, "  {:>8}  rejected, see {}:", self.rejected, rejects.display())?;
            for (reason, count) in &self.reasons {
                writeln!(f, "  {count:>8}    {reason}")?;
            }
        }
        if !self.unused.is_empty() {
            writeln!(f, "            columns not used: {}", self.unused.join(", "))?;
        }
        Ok(())
    }
}
