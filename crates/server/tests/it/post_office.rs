//! The least mail server that the worker can be driven against: it takes what it is told to take and answers what it is
//! told to answer, by address. TLS, sign-in and real replies are tested against a real server in `smtp`.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doorcode::deliver::smtp::{Security, SmtpSettings};
use mail_parser::MessageParser;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// In the place of a reply: takes the content and hangs up without a word.
pub(crate) const LOST: &str = "lost";

/// A mail server on a port of its own. Ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct PostOffice {
    port: u16,
    books: Arc<Mutex<Books>>,
}

#[derive(Default)]
struct Books {
    replies: HashMap<String, &'static str>,
    asked: Vec<String>,
    mails: Vec<Mail>,
}

/// A mail that was handed over, acknowledged or not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Mail {
    pub(crate) to: String,
    pub(crate) id: String,
    pub(crate) code: String,
}

impl PostOffice {
    pub(crate) async fn open() -> Self {
        Self::open_at(0).await
    }

    /// On this port, which somebody had before.
    pub(crate) async fn open_at(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let office = Self { port: listener.local_addr().unwrap().port(), books: Arc::default() };
        let books = Arc::clone(&office.books);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&books)));
            }
        });
        office
    }

    /// From now on, an address is answered like this.
    pub(crate) fn answer(&self, to: &str, reply: &'static str) {
        self.books.lock().unwrap().replies.insert(to.to_owned(), reply);
    }

    /// From now on, an address is welcome.
    pub(crate) fn welcome(&self, to: &str) {
        self.books.lock().unwrap().replies.remove(to);
    }

    /// How often somebody wanted to hand over a mail to an address.
    pub(crate) fn asked(&self, to: &str) -> usize {
        self.books.lock().unwrap().asked.iter().filter(|asked| *asked == to).count()
    }

    /// What was handed over to an address, oldest first.
    pub(crate) fn mails(&self, to: &str) -> Vec<Mail> {
        self.books.lock().unwrap().mails.iter().filter(|mail| mail.to == to).cloned().collect()
    }

    pub(crate) fn settings(&self) -> SmtpSettings {
        settings(self.port)
    }
}

/// The settings for whatever listens there.
pub(crate) fn settings(port: u16) -> SmtpSettings {
    SmtpSettings {
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::None,
        allow_plaintext: false,
        username: None,
        password: None,
        ca_file: None,
        from: "Doorcode <no-reply@example.com>".to_owned(),
        reply_to: None,
        timeout: Duration::from_secs(10),
        pool: 4,
        hello_name: Some("doorcode.example.com".to_owned()),
    }
}

async fn serve(stream: TcpStream, books: Arc<Mutex<Books>>) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut to = String::new();
    write.write_all(b"220 post.example ESMTP\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let reply = match verb.as_str() {
            "EHLO" => "250 post.example",
            "RCPT" => {
                to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                let mut books = books.lock().unwrap();
                books.asked.push(to.clone());
                books.replies.get(&to).copied().filter(|reply| *reply != LOST).unwrap_or("250 OK")
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                let mut raw = String::new();
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    raw.push_str(line.strip_prefix('.').unwrap_or(&line));
                    raw.push_str("\r\n");
                }
                let mut books = books.lock().unwrap();
                books.mails.push(read_mail(&to, &raw));
                if books.replies.get(&to) == Some(&LOST) {
                    return Ok(());
                }
                "250 taken"
            }
            "QUIT" => "221 bye",
            _ => "250 OK",
        };
        write.write_all(format!("{reply}\r\n").as_bytes()).await?;
    }
    Ok(())
}

fn read_mail(to: &str, raw: &str) -> Mail {
    let mail = MessageParser::default().parse(raw).unwrap();
    let text = mail.body_text(0).unwrap();
    // The code stands alone on its line.
    let code = text.lines().map(str::trim).find(|line| line.len() >= 4 && line.bytes().all(|b| b.is_ascii_digit()));
    Mail { to: to.to_owned(), id: mail.message_id().unwrap().to_owned(), code: code.unwrap().to_owned() }
}
