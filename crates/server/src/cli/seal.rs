//! `doorcode seal`: the owner's side of sealed credentials, for looking at a call by hand. Has no database and asks no server. Refuses to
//! write over a key, and to open what was sealed to another one.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use doorcode_core::seal::turnkey::{BundleKey, open_grant};
use doorcode_core::{Secret, hex};

use super::{Ended, Trouble, out};
use crate::entropy::Entropy;

#[derive(Subcommand)]
pub(super) enum Seal {
    /// Make a key. The file has the private half, in hexadecimal, and is its owner's only; the public half is printed
    #[command(after_help = "\
Examples:
  doorcode seal key --out me.key                  to sign calls with: give the line `compressed` to whoever registers it
  doorcode seal key --out target.key --json       to have a credential sealed to: send `uncompressed` as targetPublicKey")]
    Key {
        /// Where the private half goes. There must be nothing yet
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Open a credential bundle: prints the private key in it, in hexadecimal
    #[command(after_help = "\
Example:
  doorcode seal open --key target.key 2A741Zb2QF… >credential.key")]
    Open {
        /// The file of the key that it was sealed to
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// The bundle, as it was answered
        bundle: String,
    },
}

impl Seal {
    pub(super) fn run(self) -> Ended {
        match self {
            Self::Key { out: file, json } => {
                let key = BundleKey::from_seed(Secret::new(Entropy::real().bytes()?))?;
                write(&file, &key)?;
                let public = key.public();
                let (short, long) = (public.to_hex(), public.uncompressed().map(|point| hex::encode(point)));
                let long = long.unwrap_or_default();
                if json {
                    out(&serde_json::json!({ "compressed": short, "uncompressed": long }).to_string());
                } else {
                    out(&format!("compressed    {short}\nuncompressed  {long}"));
                }
            }
            Self::Open { key, bundle } => {
                let opened = open_grant(&bundle, &read(&key)?)?;
                // A secret that was asked for, in the form that `--key` reads.
                out(&hex::encode(opened.expose()));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The key of a file.
pub(super) fn read(file: &Path) -> Result<BundleKey, Trouble> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(BundleKey::parse(&Secret::new(text))?)
}

fn write(file: &Path, key: &BundleKey) -> Result<(), Trouble> {
    let mut open = std::fs::OpenOptions::new();
    let opened = open.write(true).create_new(true).mode(0o600).open(file);
    let written = opened.and_then(|mut opened| {
        opened.write_all(key.encode().expose().as_bytes())?;
        opened.write_all(b"\n")?;
        opened.sync_all()
    });
    Ok(written.map_err(|error| format!("{}: {error}", file.display()))?)
}
