//! Item 10: rolling restarts, as rskq-smoltcp's example `rolling_restart` tells them.

use crate::outside;
use serde::Deserialize;
use std::path::Path;

/// What became of the connections under one policy.
#[derive(Clone, Debug, Deserialize)]
pub struct Row {
    policy: String,
    answered: u32,
    reset: u32,
    timed_out: u32,
    moved: u32,
    worst_connect_ms: u64,
}

/// Restarts with clients of one kind.
#[derive(Clone, Debug)]
pub struct Restarts {
    /// Where the clients are.
    pub clients: &'static str,
    /// A row for each policy, or why there is none.
    pub rows: Result<Vec<Row>, String>,
}

/// What each row tells.
pub const HEADER: [&str; 7] =
    ["clients", "at close", "answered", "reset", "timed out", "moved", "worst connect, ms"];

impl Restarts {
    /// Returns how many connections were lost under the policies that move them; `None` if nobody knows.
    #[must_use]
    pub fn lost(&self) -> Option<u32> {
        let moves = |row: &&Row| ["Requeue", "Handover"].contains(&&*row.policy);
        let rows: Vec<_> = self.rows.as_ref().ok()?.iter().filter(moves).collect();
        (rows.len() == 2).then(|| rows.iter().map(|row| row.reset + row.timed_out).sum())
    }

    /// Returns the rows of the table.
    #[must_use]
    pub fn rows(&self) -> Vec<[String; 7]> {
        let row = |row: &Row| {
            let Row { policy, answered, reset, timed_out, moved, worst_connect_ms } = row;
            let [answered, reset, timed_out, moved] = [answered, reset, timed_out, moved].map(u32::to_string);
            let worst = worst_connect_ms.to_string();
            [self.clients.into(), policy.clone(), answered, reset, timed_out, moved, worst]
        };
        match &self.rows {
            Ok(rows) => rows.iter().map(row).collect(),
            Err(why) => {
                let mut row = [""; 7].map(String::from);
                (row[0], row[1]) = (self.clients.into(), format!("not measured here: {why}"));
                vec![row]
            }
        }
    }
}

/// Reads what the example wrote.
///
/// # Errors
///
/// What is there and cannot be read.
pub fn read_all(at: &Path) -> Result<Vec<Restarts>, String> {
    let read = |(name, clients)| {
        let rows = match outside::text(at, name) {
            Ok(text) => Ok(serde_json::from_str(&text).map_err(|error| format!("{name}: {error}"))?),
            Err(why) => Err(why),
        };
        Ok(Restarts { clients, rows })
    };
    [("restart", IN_PROCESS), ("restart-tap", OVER_TAP)].into_iter().map(read).collect()
}

/// Clients over smoltcp, at the other end of a wire.
pub const IN_PROCESS: &str = "in this process";
/// Clients of the kernel.
pub const OVER_TAP: &str = "over a TAP device";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_lost_under_a_policy_that_moves_is_counted() {
        let row = |policy: &str, reset, timed_out| Row {
            policy: policy.into(),
            answered: 10,
            reset,
            timed_out,
            moved: 1,
            worst_connect_ms: 1,
        };
        let lost = |rows: &[Row]| Restarts { clients: IN_PROCESS, rows: Ok(rows.to_vec()) }.lost();
        assert_eq!(lost(&[row("Abort", 9, 0), row("Requeue", 0, 0), row("Handover", 0, 0)]), Some(0));
        assert_eq!(lost(&[row("Abort", 9, 0), row("Requeue", 1, 0), row("Handover", 0, 2)]), Some(3));
        assert_eq!(lost(&[row("Abort", 9, 0), row("Requeue", 1, 0)]), None);
        let nobody = Restarts { clients: OVER_TAP, rows: Err("no TAP device".into()) };
        assert_eq!((nobody.lost(), nobody.rows().len()), (None, 1));
    }
}
