//! What the stream may not contain is an error that says so, never a guess.

use std::collections::HashMap;
use std::sync::Arc;

use super::reader::{Reader, Step};
use super::transport::Message;
use crate::receipt::StreamReceipts;

fn reader() -> Reader {
    Reader::new("1/1/s".into(), HashMap::new(), 700, 40, Arc::<StreamReceipts>::default())
}

fn data(bytes: &[u8]) -> Message {
    Message::Data(bytes::Bytes::copy_from_slice(bytes))
}

fn refused(reader: &mut Reader, message: Message) -> String {
    let error = reader.take(message).err().expect("an error");
    assert_eq!(error.kind, syncline_sdk::ErrorKind::Protocol);
    error.to_string()
}

#[test]
fn unknown_and_misplaced_messages_are_named() {
    let mut reader = reader();
    assert!(refused(&mut reader, data(b"?nonsense")).contains("not understood"));
    assert!(refused(&mut reader, data(b"")).contains("not understood"));
    assert!(refused(&mut reader, data(b"I\0\0\0\x07")).contains("not understood"));
    assert!(refused(&mut reader, data(b"I\0\0\0\x07N\0\0")).contains("relation 7"));
    assert!(refused(&mut reader, data(b"A\0\0\0\x07\0\0\0\x07")).contains("StreamAbort"));
    assert!(refused(&mut reader, Message::Commit { end: 9 }).contains("begin"));
}

#[test]
fn a_keepalive_of_before_the_beginning_says_nothing() {
    let mut reader = reader();
    for end in [30, 40] {
        assert!(matches!(reader.take(Message::KeepAlive { end }).unwrap(), Step::More));
        assert!(!reader.may_answer());
    }
    let Step::Idle(batch) = reader.take(Message::KeepAlive { end: 41 }).unwrap() else { panic!() };
    assert_eq!(&*batch.position.unwrap().place, "0/29");
}

#[test]
fn a_keepalive_inside_a_transaction_says_nothing() {
    let mut reader = reader();
    let begin = Message::Begin { lsn: 50, xid: 701, micros: 0 };
    reader.take(begin).unwrap();
    reader.take(Message::KeepAlive { end: 60 }).unwrap();
    assert!(!reader.may_answer());
    reader.take(Message::Commit { end: 70 }).unwrap();
    reader.take(Message::KeepAlive { end: 80 }).unwrap();
    let first = reader.batch();
    assert!(!first.idle);
    assert_eq!(&*first.position.unwrap().place, "0/46");
    // The keepalive is answered by itself, behind what it follows.
    assert!(reader.may_answer());
    let second = reader.batch();
    assert!(second.idle);
    assert_eq!(&*second.position.unwrap().place, "0/50");
}

proptest::proptest! {
    #[test]
    fn no_bytes_break_the_reader(bytes in proptest::collection::vec(0_u8.., 0..60)) {
        let mut reader = reader();
        reader.take(Message::Begin { lsn: 50, xid: 701, micros: 0 }).unwrap();
        for tag in b"IUDTRYOM" {
            let mut message = vec![*tag];
            message.extend_from_slice(&bytes);
            let _ = reader.take(data(&message));
        }
    }
}
