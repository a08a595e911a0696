//! `/v1/devices`: what hands a person's messages in. A device describes itself, is linked and asks whether it is; its owner lists and removes
//! it. Refuses a device another one's routes.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse as _;
use doorcode_core::DeviceId;
use doorcode_core::relay::Named as _;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::answers::{BodyProblems, NoDevice, NoKey, NoPerson, NotFound, Unavailable};
use super::caller::{ByDevice, ByPerson};
use super::error::{self, Answer, ErrorBody, Refused, about};
use super::fields::{Fields, wrong};
use crate::api::segment::Segment;
use crate::app::App;
use crate::ops::devices;
use crate::store::devices::Device;

/// What phones run on.
const PLATFORMS: [&str; 2] = ["android", "ios"];
/// The longest thing that a device says of itself, in characters.
const SAID_MOST: usize = 100;

/// What a device says of itself. Every member may also be spelt with underscores.
#[derive(ToSchema)]
#[schema(as = OtpDeviceSelf)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "the document is made of it")]
pub(crate) struct DeviceSelf {
    /// `android` or `ios`.
    #[schema(pattern = "^(android|ios)$", example = "android")]
    platform: String,
    #[schema(max_length = 100, example = "Pixel 9")]
    model: Option<String>,
    #[schema(max_length = 100, example = "16")]
    os_version: Option<String>,
    /// What it calls itself.
    #[schema(min_length = 1, max_length = 100, example = "pixel-1")]
    device_id: String,
}

/// A link that its owner was shown.
#[derive(ToSchema)]
#[schema(as = OtpDeviceLink)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "the document is made of it")]
pub(crate) struct DeviceLink {
    /// Which: the calling device.
    #[schema(min_length = 1, max_length = 100)]
    device_id: String,
    /// As it stands on the page.
    #[schema(min_length = 1, max_length = 100)]
    link_token: String,
}

/// Whether a text is what the calling device is called, by itself or by us.
fn means(device: &Device, text: &str) -> bool {
    device.reference.as_deref() == Some(text) || DeviceId::read(text) == Some(device.id)
}

fn short(fields: &mut Fields, name: &str) -> Result<String, Refused> {
    let text = fields.text(name)?.unwrap_or_default();
    if text.chars().count() > SAID_MOST {
        return Err(wrong(name, "must have at most 100 characters"));
    }
    Ok(text)
}

fn needed(fields: &mut Fields, name: &str) -> Result<String, Refused> {
    let text = short(fields, name)?;
    if text.trim().is_empty() { Err(wrong(name, "is required")) } else { Ok(text) }
}

/// A device says what it is.
#[utoipa::path(post, path = "/v1/devices/register", tag = "agentotp", operation_id = "register_device", request_body = DeviceSelf,
    security(("key" = [])),
    responses(
        (status = 200, description = "It is known: `deviceId`", body = Object),
        NoKey,
        NoDevice,
        (status = 404, description = "It was removed", body = ErrorBody),
        BodyProblems,
        Unavailable,
    ))]
pub(super) async fn register(State(app): State<Arc<App>>, ByDevice(device): ByDevice, mut fields: Fields) -> Answer {
    let platform = needed(&mut fields, "platform")?;
    if !PLATFORMS.contains(&platform.as_str()) {
        return Err(wrong("platform", "must be android or ios"));
    }
    let (model, system) = (short(&mut fields, "model")?, short(&mut fields, "osVersion")?);
    let reference = needed(&mut fields, "deviceId")?;
    devices::describe(&app, &device, [&reference, &platform, &model, &system]).await.map_err(about("device"))?;
    Ok(Json(json!({
        "success": true, "deviceId": reference, "device_id": reference, "id": device.id.shown(),
    }))
    .into_response())
}

/// A device shows the link that its owner was shown, signed in. It may say yes in their name from then on.
#[utoipa::path(post, path = "/v1/devices/link", tag = "agentotp", operation_id = "link_device", request_body = DeviceLink,
    security(("key" = [])),
    responses(
        (status = 200, description = "It is linked: `userId`", body = Object),
        NoKey,
        NoDevice,
        (status = 404, description = "There is no such link of this device's owner, or it was used; or this is another device", body = ErrorBody),
        BodyProblems,
        Unavailable,
    ))]
pub(super) async fn link(State(app): State<Arc<App>>, ByDevice(device): ByDevice, mut fields: Fields) -> Answer {
    let (reference, token) = (needed(&mut fields, "deviceId")?, needed(&mut fields, "linkToken")?);
    if !means(&device, &reference) {
        return Err(Refused::from(error::absent("device")));
    }
    devices::link(&app, &device, &token).await.map_err(about("link"))?;
    let user = device.owner.to_string();
    let message = "The device is linked: it may approve";
    Ok(Json(json!({ "success": true, "userId": user, "user_id": user, "message": message })).into_response())
}

/// Whether the calling device is linked.
#[utoipa::path(get, path = "/v1/devices/{id}/status", tag = "agentotp", operation_id = "device_status",
    params(("id" = String, Path, description = "What the device calls itself, or its id here", min_length = 1)),
    security(("key" = [])),
    responses(
        (status = 200, description = "`isLinked`, and `userId` if it is", body = Object),
        NoKey,
        NoDevice,
        (status = 404, description = "This is another device", body = ErrorBody),
        Unavailable,
    ))]
pub(super) async fn status(ByDevice(device): ByDevice, Segment(text): Segment) -> Answer {
    if !means(&device, &text) {
        return Err(Refused::from(error::absent("device")));
    }
    let linked = device.linked_at.is_some();
    let mut body = json!({ "isLinked": linked, "is_linked": linked });
    if linked {
        body["userId"] = device.owner.to_string().into();
    }
    Ok(Json(body).into_response())
}

/// The caller's devices and collectors.
#[utoipa::path(get, path = "/v1/devices", tag = "agentotp", operation_id = "list_devices",
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "They: `data`, `has_more`, `next_cursor`", body = Object),
        NoKey,
        NoPerson,
        Unavailable,
    ))]
pub(super) async fn list(State(app): State<Arc<App>>, ByPerson(whose): ByPerson) -> Answer {
    let data: Vec<Value> = devices::list(&app, whose.owner).await?.iter().map(view).collect();
    Ok(Json(json!({ "data": data, "has_more": false, "hasMore": false, "next_cursor": null, "nextCursor": null }))
        .into_response())
}

fn view(device: &Device) -> Value {
    let (made, linked) = (device.id.made_at().to_string(), device.linked_at.map(|at| at.to_string()));
    json!({
        "id": device.id.shown(), "object": "device", "kind": device.kind, "name": device.name,
        "device_id": device.reference, "deviceId": device.reference, "platform": device.platform, "model": device.model,
        "os_version": device.os_version, "osVersion": device.os_version,
        "is_linked": device.linked_at.is_some(), "isLinked": device.linked_at.is_some(),
        "linked_at": linked, "linkedAt": linked, "created_at": made, "createdAt": made,
    })
}

/// Removes one of the caller's devices. Its keys are dead at once.
#[utoipa::path(delete, path = "/v1/devices/{id}", tag = "agentotp", operation_id = "remove_device",
    params(("id" = String, Path, description = "The device", pattern = "^device_[A-Za-z0-9_-]{22}$")),
    security(("key" = []), ("access_token" = [])),
    responses(
        (status = 200, description = "It is removed", body = Object),
        NoKey,
        NoPerson,
        NotFound,
        Unavailable,
    ))]
pub(super) async fn remove(State(app): State<Arc<App>>, ByPerson(whose): ByPerson, Segment(text): Segment) -> Answer {
    let id = DeviceId::read(&text).ok_or_else(|| Refused::from(error::absent("device")))?;
    devices::remove(&app, whose, id).await.map_err(about("device"))?;
    Ok(Json(json!({ "success": true, "id": id.shown(), "deleted": true })).into_response())
}
