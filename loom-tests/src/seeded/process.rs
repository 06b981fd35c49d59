//! A program that is stopped when it has said enough, or takes too long.

use std::io::{Read, Result};
use std::ops::ControlFlow;
use std::process::{ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself.
    Exited(ExitStatus),
    /// It had said enough.
    Stopped,
    /// It took too long.
    TooLong,
}

/// Runs a program for at most `limit`; `said` is called with what it has written so far, all of it, whenever
/// that is more than before.
///
/// # Errors
///
/// If it cannot be started.
pub fn run(
    mut command: Command,
    limit: Duration,
    mut said: impl FnMut(&str) -> ControlFlow<()>,
) -> Result<Ended> {
    let deadline = Instant::now() + limit;
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let pieces = read(child.stdout.take());
    let mut bytes = Vec::new();
    let ended = loop {
        match pieces.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(piece) => {
                bytes.extend(piece);
                if said(&String::from_utf8_lossy(&bytes)).is_break() {
                    break Ended::Stopped;
                }
            }
            Err(RecvTimeoutError::Timeout) => break Ended::TooLong,
            // It closed its output, which it does at its end.
            Err(RecvTimeoutError::Disconnected) => return Ok(Ended::Exited(child.wait()?)),
        }
    };
    // It may have come to its end meanwhile.
    let _ = child.kill();
    child.wait()?;
    Ok(ended)
}

fn read(from: Option<ChildStdout>) -> Receiver<Vec<u8>> {
    fn forward(mut from: ChildStdout, to: &Sender<Vec<u8>>) {
        let mut buffer = [0; 1 << 16];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            if to.send(buffer[..count].to_vec()).is_err() {
                return;
            }
        }
    }
    let (to, pieces) = mpsc::channel();
    if let Some(from) = from {
        thread::spawn(move || forward(from, &to));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_program_ends_by_itself_or_is_ended() {
        let second = Duration::from_secs(1);
        let all = |_: &str| ControlFlow::Continue(());
        assert!(
            matches!(run(shell("exit 3"), second, all).unwrap(), Ended::Exited(status) if status.code() == Some(3))
        );
        assert_eq!(run(shell("sleep 60"), second / 10, all).unwrap(), Ended::TooLong);
        let enough = |said: &str| match said.contains("enough") {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        assert_eq!(run(shell("echo enough; sleep 60"), 60 * second, enough).unwrap(), Ended::Stopped);
        assert!(run(Command::new("/no/such/program"), second, all).is_err());
    }
}
