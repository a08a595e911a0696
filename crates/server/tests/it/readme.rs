//! The quick start of README.md, the journeys of docs/native.md and docs/turnkey.md and the signed request of the former, as they stand: every block is run, in its order and
//! in one shell, and says what the page says that it says. Refuses to know what is in the blocks, but for the code that somebody types.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::path::Path;

use serde_json::Value;
use tokio::process::Command;

use crate::process::{Folder, Home, Ran, ServerProcess};
use crate::smtp_server::python;

/// A fenced block: its language, and what is in it.
struct Block {
    language: String,
    text: String,
}

/// The blocks of a section of a page.
fn blocks(page: &str, section: &str) -> Vec<Block> {
    let (_, rest) = page.split_once(&format!("\n## {section}\n")).unwrap();
    let section = rest.split_once("\n## ").unwrap().0;
    let fenced = section.split("```").skip(1).step_by(2);
    let all = fenced.map(|block| {
        let (language, text) = block.split_once('\n').unwrap();
        Block { language: language.to_owned(), text: text.to_owned() }
    });
    all.collect()
}

fn free(address: &str) -> std::io::Result<String> {
    Ok(TcpListener::bind(address)?.local_addr()?.to_string())
}

/// Where the README says that the server is, or, where that is taken, somewhere else.
fn address() -> String {
    free(README).or_else(|_| free("127.0.0.1:0")).unwrap()
}

/// A page, with that address for the one that stands in it.
fn page(name: &str, address: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    fs::read_to_string(root.join(name)).unwrap().replace(README, address)
}

const README: &str = "127.0.0.1:8080";

/// What waits for the mail to whom a block names, as a person does, and leaves its code in `$code`.
fn wait_for_a_code(block: &str, address: &str) -> String {
    let Some((before, _)) = block.split_once("@example.com") else { return String::new() };
    let who = before.rsplit(['"', '=', '\'']).next().unwrap_or_default();
    let look = format!("curl -s 'http://{address}/dev/inbox.json?to={who}@example.com'");
    let code = format!("{look} | grep -o '\"code\":\"[^\"]*' | head -1 | cut -c 9-");
    format!("code=\nuntil [ -n \"$code\" ]; do sleep 0.1; code=$({code}) || true; done\n")
}

/// One script of all blocks that are run; each leaves what it says in a file of its own.
fn script(blocks: &[Block], address: &str) -> String {
    let mut script = "set -euo pipefail\n".to_owned();
    for (number, block) in blocks.iter().enumerate() {
        let text = &block.text;
        match block.language.as_str() {
            "sh" => {
                write!(script, "{{\n{text}}} >said.{number}\n").unwrap();
                // The mail follows the answer in a moment.
                script += &wait_for_a_code(text, address);
            }
            "python" => {
                // Somebody types the code, where one is asked for.
                let typed = if text.contains("input(") {
                    format!("{{ {}echo $code; }} | ", wait_for_a_code(text, address))
                } else {
                    String::new()
                };
                write!(script, "cat >block.{number}.py <<'END_OF_BLOCK'\n{text}END_OF_BLOCK\n").unwrap();
                writeln!(script, "{typed}\"$PYTHON\" block.{number}.py >said.{number}").unwrap();
            }
            "json" | "text" => {}
            other => panic!("nobody knows how to run a block of {other}"),
        }
    }
    script
}

/// Whether a text is what was promised, where `…` is anything.
fn is_like(promised: &str, said: &str) -> bool {
    let Some((before, after)) = promised.split_once('…') else { return promised == said };
    let Some(rest) = said.strip_prefix(before) else { return false };
    rest.char_indices().any(|(at, _)| is_like(after, &rest[at..])) || after.is_empty()
}

/// The same for JSON: the members are those that were promised, and no others.
fn is_alike(promised: &Value, said: &Value) -> bool {
    match (promised, said) {
        (Value::Object(promised), Value::Object(said)) => {
            let same = |(name, value): (&String, &Value)| said.get(name).is_some_and(|said| is_alike(value, said));
            promised.len() == said.len() && promised.iter().all(same)
        }
        (Value::String(promised), Value::String(said)) => is_like(promised, said),
        _ => promised == said,
    }
}

/// Runs blocks in one shell, in a folder of their own, where `data` is the server's and `doorcode` this program; what each said stands there.
async fn run(blocks: &[Block], (home, address): (&Home, &str)) -> Folder {
    let folder = Folder::new("blocks");
    std::os::unix::fs::symlink(&home.data, folder.join("data")).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_doorcode")).parent().unwrap().display();
    let file = folder.join("blocks.sh");
    fs::write(&file, format!("PATH='{program}':$PATH\n{}", script(blocks, address))).unwrap();
    let mut bash = Command::new("bash");
    bash.arg(&file).current_dir(folder.join("")).env("PYTHON", python());
    Ran::of(bash).await.well();
    folder
}

/// Holds what the blocks said against what the page promises behind each.
fn judge(blocks: &[Block], folder: &Folder) {
    let (mut said, mut asked) = (String::new(), false);
    for (number, Block { language, text }) in blocks.iter().enumerate() {
        match language.as_str() {
            "json" => {
                let (promised, said) = (serde_json::from_str(text).unwrap(), serde_json::from_str(&said).unwrap());
                assert!(is_alike(&promised, &said), "{promised} was promised: {said}");
            }
            "text" => {
                // What is typed is not seen in a pipe, so that the answer stands behind the question.
                let said = if asked { said.rsplit(": ").next().unwrap() } else { said.as_str() };
                assert!(is_like(text.trim_end(), said.trim_end()), "{text} was promised: {said}");
            }
            _ => {
                said = fs::read_to_string(folder.join(&format!("said.{number}"))).unwrap();
                asked = text.contains("input(");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quick_start_and_the_journey_do_what_they_say() {
    let (home, address) = (Home::dev("readme"), address());
    // What ./run starts, once it has built it.
    let _server = ServerProcess::spawn(home.command(&["serve", "--listen", &address])).await;
    let mut all = blocks(&page("README.md", &address), "Quick start");
    all.extend(blocks(&page("docs/native.md", &address), "The journey"));
    let count = |language: &str| all.iter().filter(|block| block.language == language).count();
    assert!(count("sh") >= 7 && count("python") >= 2 && count("json") >= 4 && count("text") >= 3);
    judge(&all, &run(&all, (&home, &address)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journey_of_signed_calls_does_what_it_says() {
    let (home, address) = (Home::dev("signed-journey"), free("127.0.0.1:0").unwrap());
    let _server = ServerProcess::spawn(home.command(&["serve", "--listen", &address])).await;
    let all = blocks(&page("docs/turnkey.md", &address), "The journey");
    let count = |language: &str| all.iter().filter(|block| block.language == language).count();
    assert!(count("sh") >= 6 && count("json") >= 2 && count("text") >= 2);
    judge(&all, &run(&all, (&home, &address)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_request_does_what_its_page_says() {
    let (home, address) = (Home::dev("signed-request"), free("127.0.0.1:0").unwrap());
    let _server = ServerProcess::spawn(home.command(&["serve", "--listen", &address])).await;
    let mut all = blocks(&page("docs/native.md", &address), "Signed requests");
    // The lines that are signed are shown, and said by nobody.
    let shown = all.iter().position(|block| block.text.starts_with("doorcode-v1")).unwrap();
    all.remove(shown);
    assert_eq!(all.iter().map(|block| block.language.as_str()).collect::<Vec<_>>(), ["sh", "sh", "text"]);
    judge(&all, &run(&all, (&home, &address)).await);
}

#[test]
fn what_was_promised_is_told_from_what_was_not() {
    assert!(is_like("outx_… John", "outx_abc John") && is_like("…", "x") && is_like("a", "a"));
    for said in ["outx_abc Jane", "abc John", "outx_abc John and more", ""] {
        assert!(!is_like("outx_… John", said), "{said}");
    }
}
