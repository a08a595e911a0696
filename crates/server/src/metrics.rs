//! What is counted, for `/metrics`. A registry of our own, not a global one. Refuses labels that could name a person or
//! grow without end: routes are templates, outcomes are words of ours.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// A request, by where it went and how it ended.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub struct RequestLabels {
    /// GET, POST….
    pub method: &'static str,
    /// The route's template, or `unmatched`.
    pub route: String,
    /// The status.
    pub status: u16,
}

/// One word.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub struct OutcomeLabels {
    /// How it ended.
    pub outcome: &'static str,
}

/// The counters.
pub struct Metrics {
    registry: Registry,
    /// How long requests took, in seconds, under OpenTelemetry's name.
    pub requests: Family<RequestLabels, Histogram, fn() -> Histogram>,
    /// Starts: new, resent, limited.
    pub starts: Family<OutcomeLabels, Counter>,
    /// Checks: right, repeat, wrong, refused.
    pub checks: Family<OutcomeLabels, Counter>,
    /// Deliveries: sent, retry, gave_up, dropped.
    pub deliveries: Family<OutcomeLabels, Counter>,
    /// Tries to send a webhook: delivered, retry, gave_up, dropped.
    pub webhooks: Family<OutcomeLabels, Counter>,
    /// Messages that wait, as the last look found.
    pub waiting: Gauge,
}

impl Metrics {
    /// Everything at nought.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("doorcode");
        let requests =
            Family::new_with_constructor((|| Histogram::new(exponential_buckets(0.000_25, 2.0, 16))) as fn() -> _);
        let (starts, checks, deliveries) = (Family::default(), Family::default(), Family::default());
        let (webhooks, waiting) = (Family::default(), Gauge::default());
        registry.register_with_unit(
            "http_server_request_duration",
            "Requests by method, route and status",
            Unit::Seconds,
            requests.clone(),
        );
        registry.register("starts", "Codes asked for, by outcome", starts.clone());
        registry.register("checks", "Codes presented, by outcome", checks.clone());
        registry.register("deliveries", "Tries to deliver a message, by outcome", deliveries.clone());
        registry.register("webhooks", "Tries to send a webhook, by outcome", webhooks.clone());
        registry.register("deliveries_waiting", "Messages that wait to be delivered", waiting.clone());
        Self { registry, requests, starts, checks, deliveries, webhooks, waiting }
    }

    /// Counts one.
    pub fn count(family: &Family<OutcomeLabels, Counter>, outcome: &'static str) {
        family.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// The text of `/metrics`.
    pub fn text(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            // Writing to a String does not fail.
            Err(std::fmt::Error) => String::new(),
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}
