//! What belongs to no handler (a path that is none, a method that is not taken, a panic, no answer in time) in the form of the
//! door whose path was asked. Refuses to guess: what is nobody's is the front door's, which owns the root of its host.

use axum::http::StatusCode;
use axum::response::Response;

use super::{agentotp, hooks, native, outx, turnkey};

/// Whose form an answer has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// One text in a JSON object.
    Outx,
    /// A problem (RFC 9457).
    Native,
    /// Two codes and two messages, for both kinds of its clients.
    Agentotp,
    /// One text in a JSON object, for programs.
    Hooks,
    /// The number of a gRPC status, a message and a name.
    Turnkey,
}

impl Form {
    /// The form of a path.
    pub(super) fn of(path: &str) -> Self {
        let agentotp = [
            "/v1/otp",
            "/v1/agents",
            "/v1/devices",
            "/v1/auth/verify",
            "/v1/audit",
            "/v1/policies",
            "/v1/hooks",
            "/v1/inbound",
            "/v1/mailboxes",
            "/ws",
        ];
        let native = ["/v1", "/.well-known", "/openapi.json"];
        let is = |root: &&str| path.strip_prefix(*root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if agentotp.iter().any(is) {
            Self::Agentotp
        } else if is(&"/hooks") {
            Self::Hooks
        } else if is(&"/public/v1") || turnkey::proxy::PATHS.iter().any(is) {
            Self::Turnkey
        } else if native.iter().any(is) {
            Self::Native
        } else {
            Self::Outx
        }
    }

    /// There is nothing at this path.
    pub(super) fn not_found(self) -> Response {
        match self {
            Self::Outx => outx::error(StatusCode::NOT_FOUND, "Not found"),
            Self::Native => native::problem::not_found(),
            Self::Agentotp => agentotp::error::not_found(),
            Self::Hooks => hooks::error::not_found(),
            Self::Turnkey => turnkey::error::not_found(),
        }
    }

    /// There is, for another method.
    pub(super) fn wrong_method(self) -> Response {
        match self {
            Self::Outx => outx::error(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"),
            Self::Native => native::problem::wrong_method(),
            Self::Agentotp => agentotp::error::wrong_method(),
            Self::Hooks => hooks::error::wrong_method(),
            Self::Turnkey => turnkey::error::wrong_method(),
        }
    }

    /// Under `--dev`, a host that is not this machine.
    pub(super) fn misdirected(self) -> Response {
        match self {
            Self::Outx => outx::error(StatusCode::MISDIRECTED_REQUEST, "--dev answers to localhost only"),
            Self::Native => native::problem::misdirected(),
            Self::Agentotp => agentotp::error::misdirected(),
            Self::Hooks => hooks::error::misdirected(),
            Self::Turnkey => turnkey::error::misdirected(),
        }
    }

    /// No answer in time. Nothing was promised.
    pub(super) fn unavailable(self) -> Response {
        match self {
            Self::Outx => outx::unavailable(),
            Self::Native => native::problem::unavailable(),
            Self::Agentotp => agentotp::error::unavailable(),
            Self::Hooks => hooks::error::unavailable(),
            Self::Turnkey => turnkey::error::unavailable(),
        }
    }

    /// A defect of ours.
    pub(super) fn internal(self) -> Response {
        match self {
            Self::Outx => outx::error(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error"),
            Self::Native => native::problem::internal(),
            Self::Agentotp => agentotp::error::internal(),
            Self::Hooks => hooks::error::internal(),
            Self::Turnkey => turnkey::error::internal(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn a_path_has_the_form_of_its_door() {
        for path in ["/v1", "/v1/", "/v1/otp_initial", "/v1/verifications", "/.well-known/jwks.json", "/openapi.json"] {
            assert_eq!(Form::of(path), Form::Native, "{path}");
        }
        for path in ["/hooks/sms/x", "/hooks"] {
            assert_eq!(Form::of(path), Form::Hooks, "{path}");
        }
        for path in
            ["/public/v1", "/v1/otp_init", "/v1/account", "/public/v1/submit/otp_auth", "/public/v1/query/nothing"]
        {
            assert_eq!(Form::of(path), Form::Turnkey, "{path}");
        }
        for path in [
            "/v1/otp",
            "/v1/hooks/hook_x",
            "/v1/otp/otp_x/consume",
            "/v1/agents/a",
            "/v1/audit",
            "/v1/mailboxes/x",
            "/ws/otp_x",
        ] {
            assert_eq!(Form::of(path), Form::Agentotp, "{path}");
        }
        for path in ["/", "/v10", "/v1x/y", "/linkedin-agent/auth-send-otp", "/V1/verifications", "//v1"] {
            assert_eq!(Form::of(path), Form::Outx, "{path}");
        }
    }
}
