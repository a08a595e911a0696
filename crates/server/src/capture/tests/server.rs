//! A name server on loopback, for the tests: text records by name, and the two ways of not answering.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::UdpSocket;

/// What is said to a question.
#[derive(Clone)]
pub(crate) enum Answer {
    /// These text records.
    Texts(Vec<String>),
    /// That it can't be said now.
    Failure,
    /// Nothing.
    Silence,
}

/// The server. It stands until the test's runtime ends.
pub(crate) struct NameServer {
    pub(crate) at: SocketAddr,
    asked: Arc<AtomicUsize>,
}

const TTL: [u8; 4] = 300_u32.to_be_bytes();
const TEXT: [u8; 2] = 16_u16.to_be_bytes();
const INTERNET: [u8; 2] = 1_u16.to_be_bytes();
const SERVER_FAILURE: u8 = 2;
const NO_SUCH_NAME: u8 = 3;

impl NameServer {
    /// One that knows these names (without a dot at the end).
    pub(crate) async fn start(names: HashMap<String, Answer>) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let at = socket.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        tokio::spawn(async move {
            let mut packet = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut packet).await {
                count.fetch_add(1, Ordering::Relaxed);
                if let Some(reply) = reply(&packet[..length], &names) {
                    socket.send_to(&reply, from).await.unwrap();
                }
            }
        });
        Self { at, asked }
    }

    /// How many questions came.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

fn reply(query: &[u8], names: &HashMap<String, Answer>) -> Option<Vec<u8>> {
    let (mut labels, mut at) = (Vec::new(), 12);
    while query[at] != 0 {
        let end = at + 1 + usize::from(query[at]);
        labels.push(String::from_utf8_lossy(&query[at + 1..end]).to_ascii_lowercase());
        at = end;
    }
    let question = &query[12..at + 5];
    let none = Answer::Texts(Vec::new());
    let answer = names.get(&labels.join(".")).unwrap_or(&none);
    let (code, texts) = match answer {
        Answer::Texts(texts) if texts.is_empty() => (NO_SUCH_NAME, &[][..]),
        Answer::Texts(texts) => (0, texts.as_slice()),
        Answer::Failure => (SERVER_FAILURE, &[][..]),
        Answer::Silence => return None,
    };
    let mut out = query[..2].to_vec();
    // An answer, recursion asked for and had; one question, so many answers, nothing else.
    out.extend([0x81, 0x80 | code, 0, 1, 0, u8::try_from(texts.len()).unwrap(), 0, 0, 0, 0]);
    out.extend(question);
    for text in texts {
        let data: Vec<u8> = text
            .as_bytes()
            .chunks(255)
            .flat_map(|chunk| [&[u8::try_from(chunk.len()).unwrap()], chunk].concat())
            .collect();
        out.extend([0xc0, 12]);
        out.extend([TEXT, INTERNET].concat());
        out.extend(TTL);
        out.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        out.extend(data);
    }
    Some(out)
}
