"""Roles: the words in which mappings and detections name parts of an event, and the OCSF path that each stands for."""

from typing import Final

ROLES: Final[dict[str, str]] = {
    # people and what they carry
    "employee": "user.uid",
    "account": "user.name",
    "email": "user.email_addr",
    "name": "user.full_name",
    "badge": "ww_credential.hash",
    "operator": "actor.user.name",
    # doors and zones
    "door": "ww_portal.uid",
    "reader": "ww_reader.uid",
    "direction": "ww_reader.direction",
    "zone": "ww_zone.uid",
    "from_zone": "ww_portal.from_zone",
    "to_zone": "ww_portal.to_zone",
    "alarm_point": "ww_alarm_point.uid",
    "signal": "ww_signal_code.native",
    "building_point": "ww_building_point.uid",
    "visit": "ww_visit.uid",
    "lifecycle": "ww_lifecycle_id",
    "held_ms": "ww_held_ms",
    # cameras and sensors
    "camera": "ww_camera_track.camera_uid",
    "track": "ww_camera_track.uid",
    "confidence": "ww_confidence",
    # hosts and networks
    "host": "device.hostname",
    "host_ip": "device.ip",
    "mac": "device.mac",
    "serial": "device.serial_number",
    "src_ip": "src_endpoint.ip",
    "src_port": "src_endpoint.port",
    "src_host": "src_endpoint.hostname",
    "src_mac": "src_endpoint.mac",
    "dst_ip": "dst_endpoint.ip",
    "dst_port": "dst_endpoint.port",
    "dst_host": "dst_endpoint.hostname",
    "protocol": "connection_info.protocol_name",
    "bytes_out": "traffic.bytes_out",
    "bytes_in": "traffic.bytes_in",
    "bytes": "traffic.bytes",
    "process": "process.name",
    "command": "process.cmd_line",
    "service": "service.name",
    # sign-ins
    "logon_type": "logon_type_id",
    "status": "status_id",
    "city": "src_endpoint.location.city",
    "country": "src_endpoint.location.country",
    "latitude": "src_endpoint.location.lat",
    "longitude": "src_endpoint.location.long",
    "accuracy_km": "ww_accuracy_km",
    "network_kind": "ww_network_kind",
    # the rest
    "reason": "status_detail",
    "value": "ww_value",
    "prev_value": "ww_prev_value",
    "message": "message",
    "severity": "severity_id",
    "original_uid": "metadata.original_event_uid",
}
"""Role → dotted OCSF path. A dotted path may be used wherever a role may."""


def path_of(role: str) -> str:
    """Return the OCSF path of a role; a dotted path or an attribute name stands for itself."""
    return ROLES.get(role, role)
