//! The settings of the way out, `[egress]`, as they are written. Refuses entries that can't be read, and an authority's
//! file that is none, before anything is sent.

use std::path::PathBuf;

use serde::Deserialize;
use toml::Value;

use super::complaints::Complaints;
use crate::egress;

/// `[egress]`, as written.
#[derive(Deserialize)]
pub(super) struct RawEgress {
    allow: Vec<String>,
    ports: Vec<Value>,
    ca_file: String,
}

impl RawEgress {
    pub(super) fn mean(self, bad: &mut Complaints) -> egress::Settings {
        let ca_file = Some(PathBuf::from(self.ca_file.trim())).filter(|file| !file.as_os_str().is_empty());
        let mut settings = egress::Settings { ca_file, ..Default::default() };
        for text in &self.allow {
            match text.parse() {
                Ok(allow) => settings.allow.push(allow),
                Err(()) => bad.push(format!(
                    "egress.allow: {text} is not like hooks.example.com, hooks.example.com:8080, 10.0.0.5:8080 or 10.0.0.0/8"
                )),
            }
        }
        for port in &self.ports {
            // A number in a file, a text in the environment.
            match port.to_string().trim_matches('"').parse::<u16>() {
                Ok(port @ 1..) => settings.ports.push(port),
                _ => bad.push(format!("egress.ports: {port} is no port from 1 to 65535")),
            }
        }
        if let Err(why) = settings.tls() {
            bad.push(format!("egress.ca_file: {why}"));
        }
        settings
    }
}
