//! What is written reads as what it was.

use super::RECORDED;
use linux_oracle::trace::{Line, Operation};

const NEW: [&str; 16] = [
    r#"{"op":"open","listener":1,"backlog":1,"address":"::","port":0,"picked":9,"v6only":true,"shared":false,"listen":false,"fastopen":3}"#,
    r#"{"op":"listen","listener":1,"backlog":1,"picked":9}"#,
    r#"{"op":"connect","conn":9,"syn_hash":1,"sk_hash":2,"address":"::1","port":8,"fast":true}"#,
    r#"{"op":"syncookies","value":2}"#,
    r#"{"op":"abort_on_overflow","on":true}"#,
    r#"{"op":"cpu","cpu":1}"#,
    r#"{"op":"fastopen","listener":1,"max_qlen":2}"#,
    r#"{"op":"defer_accept","listener":1,"seconds":2}"#,
    r#"{"op":"program","listener":1,"kind":"select"}"#,
    r#"{"op":"program","listener":1,"kind":"select","verdict":"drop"}"#,
    r#"{"op":"program","listener":1,"kind":"select_or_migrate","verdict":{"select":3}}"#,
    r#"{"op":"program","listener":1,"kind":"none","verdict":{"select_or_drop":3}}"#,
    r#"{"op":"detach","listener":1}"#,
    r#"{"op":"map","index":1,"listener":1}"#,
    r#"{"op":"map","index":1}"#,
    r#"{"op":"timer"}"#,
];

#[test]
fn every_recorded_line() {
    for line in RECORDED.iter().flat_map(|text| &text.lines) {
        let read = Line::parse(line.as_bytes()).expect("well formed");
        assert_eq!(Line::parse(read.to_string().as_bytes()).expect("well formed"), read);
    }
}

#[test]
fn every_new_operation_to_the_letter() {
    let shown =
        r#","result":"addr_in_use","counters":{"ListenDrops":1},"listeners":{"1":"shut"},"reset":[7]}"#;
    for operation in NEW {
        let line = format!("{}{shown}", operation.strip_suffix('}').expect("an object"));
        assert_eq!(Line::parse(line.as_bytes()).expect("well formed").to_string(), line);
    }
}

#[test]
fn what_is_left_out_is_as_in_the_first_format() {
    let line = br#"{"op":"open","listener":1,"backlog":1,"result":"ok","listeners":{}}"#;
    let Ok(Line::Operation(Operation::Open(open), _)) = Line::parse(line) else { panic!("an open") };
    assert!(open.shared && open.listen && !open.v6only);
    assert_eq!((open.address, open.port, open.fastopen), (None, None, None));
}
