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

#[cfg(test)]
mod tests {
    use crate::config::{Config, Given};

    fn read(environment: &[(&str, &str)]) -> Result<Config, Vec<String>> {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Config::read(&Given { dev: true, data: "data".into(), environment, ..Given::default() })
    }

    #[test]
    fn nothing_is_excused_by_default() {
        let egress = read(&[]).unwrap().egress;
        assert!(egress.allow.is_empty() && egress.ca_file.is_none());
        assert_eq!(egress.ports, [443, 8443]);
    }

    #[test]
    fn lists_come_from_the_environment_too() {
        let egress = read(&[("DOORCODE_EGRESS__PORTS", "443, 9000"), ("DOORCODE_EGRESS__ALLOW", "a.lan,10.0.0.0/8")]);
        let egress = egress.unwrap().egress;
        assert_eq!((egress.ports, egress.allow.len()), (vec![443, 9000], 2));
    }

    #[test]
    fn what_can_not_be_read_is_named() {
        for (name, value) in [
            ("DOORCODE_EGRESS__PORTS", "0"),
            ("DOORCODE_EGRESS__PORTS", "65536"),
            ("DOORCODE_EGRESS__PORTS", "https"),
            ("DOORCODE_EGRESS__ALLOW", "http://a.lan"),
            ("DOORCODE_EGRESS__CA_FILE", "/nonexistent"),
            ("DOORCODE_EGRESS__CA_FILE", "/dev/null"),
        ] {
            let complaints = read(&[(name, value)]).err().unwrap();
            let setting = name.trim_start_matches("DOORCODE_").replace("__", ".").to_lowercase();
            assert!(complaints.len() == 1 && complaints[0].starts_with(&setting), "{name}={value}: {complaints:?}");
        }
    }
}
