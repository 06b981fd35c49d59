//! What is no trace is refused, by line, and never panics.

use super::RECORDED;
use linux_oracle::embedded::TRACES;
use linux_oracle::error::Malformed;
use linux_oracle::lines::MAX_LINE;
use linux_oracle::{TraceError, replay};
use serde_json::json;

const HEADER: &str = r#"{"format":"rskq-linux-trace/1","kernel":"0","address":"127.0.0.1","port":7000,"cpu":0,"syncookies":1,"seed":1}"#;
const EPISODE: &str = r#"{"episode":{"migrate_req":true}}"#;
const OPEN: &str = r#"{"op":"open","listener":1,"backlog":1,"result":"ok","listeners":{"1":[0,1]}}"#;
const CONNECT: &str =
    r#"{"op":"connect","conn":9,"syn_hash":0,"sk_hash":0,"result":"established","listeners":{"1":[1,1]}}"#;

#[track_caller]
fn refused(lines: &[&str]) -> TraceError {
    match replay(lines.join("\n").as_bytes()) {
        Err(error) => error,
        Ok(summary) => panic!("accepted: {summary:?}"),
    }
}

macro_rules! refuses {
    ($lines:expr, $line:expr, $why:pat) => {
        let error = refused(&$lines);
        assert!(matches!(error.why, $why), "{error:?}");
        assert_eq!(error.line, $line, "{error}");
    };
}

#[test]
fn the_lines_these_tests_use_are_good() {
    assert_eq!(replay([HEADER, EPISODE, OPEN, CONNECT].join("\n").as_bytes()).unwrap().replayed, 2);
}

#[test]
fn not_json() {
    refuses!(["listener 1 opens"], 1, Malformed::Json { .. });
    refuses!(["[1]"], 1, Malformed::Json { .. });
    refuses!([HEADER, "", EPISODE], 2, Malformed::Json { .. });
    refuses!([HEADER, EPISODE, OPEN, &OPEN[..40]], 4, Malformed::Json { .. });
    refuses!([HEADER, EPISODE, &"[".repeat(100_000)], 3, Malformed::Json { .. });
    let bytes = [HEADER.as_bytes(), b"\n{\"op\":\"\xff\"}"].concat();
    assert!(matches!(replay(&*bytes), Err(TraceError { line: 2, why: Malformed::Json { .. } })));
}

#[test]
fn no_header_or_another() {
    refuses!([""], 1, Malformed::NoHeader);
    refuses!([EPISODE, OPEN], 1, Malformed::NoHeader);
    refuses!([OPEN], 1, Malformed::NoHeader);
    refuses!([HEADER, EPISODE, HEADER], 3, Malformed::SecondHeader);
    refuses!([&HEADER.replace("trace/1", "trace/3")], 1, Malformed::Format(_));
    refuses!([&HEADER.replace("\"rskq-linux-trace/1\"", "1")], 1, Malformed::Format(_));
    refuses!([&HEADER.replace("127.0.0.1", "localhost")], 1, Malformed::Fields(_));
    refuses!([&HEADER.replace("7000", "70000")], 1, Malformed::Fields(_));
    refuses!([&HEADER.replace("\"seed\":1", "\"seed\":1,\"more\":1")], 1, Malformed::Fields(_));
    refuses!([&HEADER.replace(",\"seed\":1", "")], 1, Malformed::Fields(_));
}

#[test]
fn neither_header_nor_episode_nor_operation() {
    refuses!([HEADER, "{}"], 2, Malformed::Kind);
    refuses!([HEADER, EPISODE, r#"{"listener":1,"result":"ok","listeners":{}}"#], 3, Malformed::Kind);
    refuses!([HEADER, r#"{"episode":{}}"#], 2, Malformed::Fields(_));
    refuses!([HEADER, r#"{"episode":{"migrate_req":1}}"#], 2, Malformed::Fields(_));
}

#[test]
fn an_operation_that_does_not_read() {
    let operations = [
        OPEN.replace("open", "reopen"),                         // an unknown operation
        OPEN.replace(",\"backlog\":1", ""),                     // a missing argument
        OPEN.replace("\"backlog\":1", "\"backlog\":1,\"x\":1"), // an argument of nobody
        OPEN.replace("\"backlog\":1", "\"backlog\":-1"),
        OPEN.replace("\"backlog\":1", "\"backlog\":4294967296"),
        OPEN.replace("\"backlog\":1", "\"backlog\":1e9"),
        OPEN.replace("\"backlog\":1", "\"backlog\":\"1\""),
        OPEN.replace("\"result\":\"ok\",", ""), // a missing observation
        OPEN.replace("\"ok\"", "\"fine\""),
        OPEN.replace("\"ok\"", "{\"error\":\"Stale\"}"), // no kernel says so
        OPEN.replace(",\"listeners\":{\"1\":[0,1]}", ""),
        OPEN.replace("[0,1]", "[0,1,2]"),
        OPEN.replace("[0,1]", "\"open\""),
        OPEN.replace("\"1\":[", "\"one\":["),
        OPEN.replace("\"result\"", "\"counters\":{\"ListenDrops\":4294967296},\"result\""),
        OPEN.replace("\"result\"", "\"reset\":[65536],\"result\""),
        CONNECT.replace("\"conn\":9", "\"conn\":65536"),
        CONNECT.replace("\"sk_hash\":0", "\"sk_hash\":184467440737095516150"),
    ];
    for operation in &operations {
        refuses!([HEADER, EPISODE, operation], 3, Malformed::Fields(_));
        // Where it is only read, after a divergence, it is read.
        let diverging = OPEN.replace("[0,1]", "[1,1]");
        refuses!([HEADER, EPISODE, &diverging, operation], 4, Malformed::Fields(_));
    }
    refuses!(
        [HEADER, EPISODE, &OPEN.replace("\"backlog\":1", "\"backlog\":1e999")],
        3,
        Malformed::Json { .. }
    );
}

#[test]
fn an_operation_that_contradicts_what_was_before() {
    refuses!([HEADER, OPEN], 2, Malformed::NoEpisode);
    refuses!([HEADER, EPISODE, OPEN, OPEN], 4, Malformed::ListenerOpen(1));
    for op in ["close", "shutdown", "accept"] {
        let operation =
            json!({"op": op, "listener": 2, "result": "ok", "listeners": {"1": [0, 1]}}).to_string();
        refuses!([HEADER, EPISODE, OPEN, &operation], 4, Malformed::NoListener(2));
    }
    refuses!([HEADER, EPISODE, OPEN, CONNECT, CONNECT], 5, Malformed::ClientConnected(9));
    let client =
        |op: &str| json!({"op": op, "conn": 9, "result": "ok", "listeners": {"1": [1, 1]}}).to_string();
    refuses!([HEADER, EPISODE, OPEN, &client("fin")], 4, Malformed::NoClient(9));
    refuses!([HEADER, EPISODE, OPEN, CONNECT, &client("reset"), &client("fin")], 6, Malformed::NoClient(9));
    refuses!([HEADER, EPISODE, OPEN, CONNECT, &client("data")], 5, Malformed::NotHalfOpen(9));
    refuses!([HEADER, EPISODE, OPEN, CONNECT, &client("data_then_reset")], 5, Malformed::NotHalfOpen(9));
}

#[test]
fn nothing_replayed_is_no_agreement() {
    assert!(matches!(replay(&b""[..]), Err(TraceError { line: 1, why: Malformed::NoHeader })));
    refuses!([HEADER], 1, Malformed::Empty);
    refuses!([HEADER, EPISODE, EPISODE], 3, Malformed::NothingReplayed(0));
}

#[test]
fn a_line_without_an_end() {
    let endless = " ".repeat(MAX_LINE as usize + 1);
    refuses!([HEADER, EPISODE, &endless], 3, Malformed::TooLong(MAX_LINE));
}

#[test]
fn a_compressed_file_cut_short_or_damaged() {
    for trace in TRACES {
        for cut in (1..trace.bytes.len()).step_by(19_973).chain([2, 10, trace.bytes.len() - 1]) {
            let error = replay(&trace.bytes[..cut]).expect_err("cut short");
            match error.why {
                // One byte does not look like gzip.
                Malformed::Json { .. } => assert_eq!(cut, 1),
                why => assert!(matches!(why, Malformed::Read(_)), "{why:?}"),
            }
        }
        let mut bytes = trace.bytes.to_vec();
        let checksum = bytes.len() - 6;
        bytes[checksum] ^= 1;
        assert!(matches!(replay(&*bytes), Err(TraceError { why: Malformed::Read(_), .. })));
        let trailing = [trace.bytes, b"more"].concat();
        assert!(matches!(replay(&*trailing), Err(TraceError { why: Malformed::Read(_), .. })));
    }
}

/// Whatever a byte is replaced by, there is an answer.
#[test]
fn no_byte_makes_it_panic() {
    let text = RECORDED[0].lines[..12].join("\n").into_bytes();
    for place in (0..text.len()).step_by(3) {
        for byte in *b"9\"}," {
            let mut text = text.clone();
            text[place] = byte;
            let _ = replay(&*text);
        }
    }
}
