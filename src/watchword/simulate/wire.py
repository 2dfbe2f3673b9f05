"""The sources' mouths: facts go in, bytes in each product's own format come out, with the delay that its transport has."""

from typing import Final

from watchword.simulate.clocks import DAY, HOUR, MINUTE, SECOND, iso, local_text, midnight, moment, rfc3164
from watchword.simulate.organisation import Host, Member, Organisation
from watchword.simulate.premises import DOMAIN, NT_DOMAIN, DoorPlan

Item = tuple[int, str, str, int, int, bytes]
"""Delivery time, source, file, arrival, ordinal, body: sorted by this, neighbours with the same first three travel together."""

BATCH: Final = {"harbour-doors": SECOND, "cameras": 2 * SECOND, "windows": 5 * SECOND, "idp": 30 * SECOND}
"""Webhook sources collect lines for so long and send them in one body."""
HEADERS: Final = {
    "mill-doors": b"Data;Controlador;Porta;Leitor;Cartao;Resultado",
    "visitors": b"visit,time,site,action,visitor,company,host,badge",
}
"""First lines of the dropped files."""
MILL_CLOCK: Final = {"MC-1": 0, "MC-2": 40 * SECOND, "MC-3": -3 * SECOND}
"""How far each of the mill's controllers is off; MC-2 was never set right."""
_CODES: Final = {
    "granted": "A01", "passed": "A02", "not_passed": "A03", "unknown_card": "D10", "card_inactive": "D11", "no_access": "D12",
    "rex": "R01", "opened": "P01", "forced": "P13", "held": "P14", "closed": "P02", "unlocked": "M01", "locked": "M02", "heartbeat": "S00",
}  # fmt: skip
_DENIED: Final = frozenset({"unknown_card", "card_inactive", "no_access"})


class Wire:
    """Collects one day's items. Delays are derived from content, so that leaving one fact out changes no other."""

    def __init__(self, org: Organisation) -> None:
        self.org = org
        self.items: list[Item] = []
        self.silences: list[tuple[str, int, int]] = []
        """(source, since, until): what the source would send meanwhile is buffered and comes at the end."""
        self.outages: list[tuple[str, int, int]] = []
        """(camera, since, until): meanwhile it sees and says nothing."""
        self._count = 0

    def put(self, source: str, arrive: int, body: bytes, file: str = "") -> None:
        """Hand over one line, datagram or row that arrives at a moment."""
        for silent, since, until in self.silences:
            if silent == source and since <= arrive < until:
                arrive = until + (arrive - since) // 600
        self._count += 1
        window = BATCH.get(source)
        at = arrive if window is None else (arrive // window + 1) * window
        self.items.append((at, source, file, arrive, self._count, body))

    def _delay(self, ms: int, least: int, most: int) -> int:
        return ms + least + (ms * 2654435761 + self._count * 40503) % 9973 * (most - least) // 9973

    # Doors

    def door(self, ms: int, door: DoorPlan, result: str, *, reader: str = "", card: str = "", note: str = "") -> None:
        """Say what a door did: a result of `_CODES`; `note` is who or what ordered it (``schedule``, ``operator:name``)."""
        if door.site == "harbour":
            self._harbour(ms, door.controller, door.name, reader, card, result, note)
        else:
            self._mill(ms, door, reader, card, result, note)

    def _harbour(self, ms: int, controller: str, door: str, reader: str, card: str, result: str, note: str) -> None:
        text = "denied" if result in _DENIED else result
        tail = f',"by":"{note}"' if note else ""
        body = (
            f'{{"event_id":"{controller}-{ms:x}-{self._count:x}","ts":"{iso(ms)}","controller":"{controller}","door":"{door}",'
            f'"reader":"{reader}","card":"{card}","result":"{text}","code":"{_CODES[result]}"{tail}}}'
        )
        self.put("harbour-doors", self._delay(ms, 150, 1400), body.encode())

    def _mill(self, ms: int, door: DoorPlan, reader: str, card: str, result: str, note: str) -> None:
        words = {
            "granted": "ACESSO", "passed": "PASSAGEM", "not_passed": "SEM PASSAGEM", "unknown_card": "NEGADO DESCONHECIDO",
            "card_inactive": "NEGADO INACTIVO", "no_access": "NEGADO SEM DIREITO", "rex": "SAIDA LIVRE", "opened": "ABERTA",
            "forced": "FORCADA", "held": "ABERTA DEMAIS", "closed": "FECHADA", "unlocked": "DESTRANCADA", "locked": "TRANCADA",
        }  # fmt: skip
        word = words[result] + (" HORARIO" if note == "schedule" else "")
        stamp = local_text(ms + MILL_CLOCK[door.controller], "Europe/Lisbon")
        row = f"{stamp};{door.controller};{door.name};{reader};{card};{word}"
        upload = self.upload_after(door.controller, ms)
        local = local_text(upload, "Europe/Lisbon")
        file = f"{door.controller.lower()}-{local[6:10]}{local[3:5]}{local[:2]}-{local[11:13]}{local[14:16]}.csv"
        self.put_file("mill-doors", upload, ms, row.encode(), file)

    def put_file(self, source: str, at: int, ms: int, row: bytes, file: str) -> None:
        """Add a row to the file that is dropped at a moment; rows stand in the order of their times."""
        self._count += 1
        self.items.append((at, source, file, ms, self._count, row))

    def upload_after(self, controller: str, ms: int) -> int:
        """Return when a mill controller hands over what happened at a moment: MC-1 and MC-2 every three hours, MC-3 each night."""
        if controller == "MC-3":
            day = moment(ms + 5400 * SECOND).date()
            at = midnight("Europe/Lisbon", day) + 22 * HOUR + 30 * MINUTE
            return at if at > ms else at + DAY
        offset = (5 if controller == "MC-1" else 35) * MINUTE
        return ((ms - offset) // (3 * HOUR) + 1) * 3 * HOUR + offset

    def heartbeat(self, ms: int, controller: str) -> None:
        """Say that a harbour door controller is alive."""
        self._harbour(ms, controller, "", "", "", "heartbeat", "")

    # Hosts

    def windows(
        self, ms: int, host: Host, event: int, member: Member | None, *, logon_type: int = 0, ip: str = "-", account: str = ""
    ) -> None:
        """Write a security event of a Windows host (4624 logon, 4625 failure, 4634 logoff, 4672 privileges, 4800 lock, 4801 unlock)."""
        user = account or (member.account if member else "SYSTEM")
        kind = f'"LogonType":"{logon_type}",' if logon_type else ""
        process = {2: "User32 ", 7: "User32 ", 10: "User32 ", 3: "Kerberos"}.get(logon_type, "Advapi  ")
        who = (
            f'"SubjectUserName":"{user}","SubjectDomainName":"{NT_DOMAIN}","PrivilegeList":"SeDebugPrivilege SeBackupPrivilege"'
            if event == 4672
            else f'"TargetUserName":"{user}","TargetDomainName":"{NT_DOMAIN}",{kind}"IpAddress":"{ip}","LogonProcessName":"{process}"'
        )
        body = (
            f'{{"@timestamp":"{iso(ms)}","event":{{"code":"{event}","provider":"Microsoft-Windows-Security-Auditing","module":"security"}},'
            f'"winlog":{{"event_id":"{event}","channel":"Security","computer_name":"{host.name.upper()}.{DOMAIN}",'
            f'"record_id":{ms // 100 + self._count % 100},"event_data":{{{who}}}}},'
            f'"agent":{{"type":"winlogbeat","hostname":"{host.name}"}}}}'
        )
        self.put("windows", self._delay(ms, 700, 6000), body.encode())

    def linux(self, ms: int, host: Host, program: str, text: str) -> None:
        """Write a line of a Linux host's authentication log."""
        body = f"<86>1 {iso(ms)} {host.name} {program} {1000 + ms // 60000 % 30000} - - {text}"
        self.put("linux", self._delay(ms, 50, 3500), body.encode())

    def ssh(self, ms: int, host: Host, account: str, ip: str) -> None:
        """Log a person on by key from an address."""
        port = 40000 + ms % 20000
        self.linux(ms, host, "sshd", f"Accepted publickey for {account} from {ip} port {port} ssh2: ED25519 SHA256:{ms % 999983:06x}")

    def console(self, ms: int, host: Host, account: str) -> None:
        """Log a person on at the machine itself."""
        self.linux(ms, host, "login", f"LOGIN ON tty1 BY {account}")

    def sudo(self, ms: int, host: Host, account: str, tty: str, command: str) -> None:
        """Run a command as root; `tty` is ``pts/0`` for remote sessions, ``tty1`` at the machine."""
        self.linux(ms, host, "sudo", f"{account} : TTY={tty} ; PWD=/home/{account} ; USER=root ; COMMAND={command}")

    # Identity provider

    def sign_in(
        self,
        ms: int,
        member: Member,
        ip: str,
        place: tuple[str, str, float, float],
        *,
        zone: str = "",
        result: str = "SUCCESS",
        late: int = 0,
    ) -> None:
        """Write a sign-in of the system log; `place`: city, country, latitude, longitude; `zone`: the provider's word for the network."""
        city, country, lat, lon = place
        failed = "" if result == "SUCCESS" else ',"reason":"INVALID_CREDENTIALS"'
        body = (
            f'{{"uuid":"{ms:012x}-{member.number}-{self._count:x}","published":"{iso(ms)}","eventType":"user.session.start",'
            f'"severity":"INFO","outcome":{{"result":"{result}"{failed}}},'
            f'"actor":{{"id":"00u{member.number}","type":"User","alternateId":"{member.mail}","displayName":"{member.name}"}},'
            f'"client":{{"ipAddress":"{ip}","zone":"{zone or "null"}","device":"Computer","geographicalContext":'
            f'{{"city":"{city}","country":"{country}",'
            f'"geolocation":{{"lat":{lat},"lon":{lon}}}}}}},"transaction":{{"type":"WEB"}}}}'
        )
        self.put("idp", self._delay(ms, 20 * SECOND, 110 * SECOND) + late, body.encode())

    # Networks

    def flow(self, ms: int, site: str, src: str, dst: str, port: int, out: int, back: int, protocol: str = "tcp") -> None:
        """Log one finished connection at a site's firewall, with the bytes sent and received; one line in a thousand comes in pieces."""
        text = (
            f'<134>1 {iso(ms)} fw-{site[0]}-1 filterlog 812 FLOW [flow@32473 src="{src}" spt="{32768 + ms % 28000}" dst="{dst}" '
            f'dpt="{port}" proto="{protocol}" out="{out}" in="{back}"]'
        )
        body = text.encode() if (ms // 7 + self._count * 31) % 1000 else b"\x00" + text.encode()[1 : 40 + ms % 50] + b"\xff\xfe"
        self.put("firewall", self._delay(ms, 30, 2500), body)

    def vpn(self, ms: int, member: Member, src: str, assigned: str, act: str) -> None:
        """Log that a VPN session opens (``connect``) or closes (``disconnect``)."""
        body = f'<134>1 {iso(ms)} fw-h-1 vpnd 640 VPN [vpn@32473 user="{member.account}" src="{src}" assigned="{assigned}" act="{act}"]'
        self.put("firewall", self._delay(ms, 30, 2500), body.encode())

    def switch(self, ms: int, switch: Host, text: str) -> None:
        """Write one line of a switch; the network shuffles them by seconds."""
        self.put("switches", self._delay(ms, 0, 5200), f"<189>{rfc3164(ms)} {switch.name} {text}".encode())

    def lease(self, ms: int, switch: Host, ip: str, mac: str, name: str) -> None:
        """Log an address lease that a switch hands out or renews."""
        self.switch(ms, switch, f"%DHCPD-6-ACK: DHCPACK on {ip} to {mac} ({name}) via {switch.name}")

    def link_up(self, ms: int, switch: Host, port: int, mac: str) -> None:
        """Log that something was plugged in, and the address that it speaks with."""
        self.switch(ms, switch, f"%LINK-3-UPDOWN: Interface GigabitEthernet1/0/{port}, changed state to up")
        self.switch(ms + 1100, switch, f"%MAC-5-LEARNED: MAC address {mac} learned on GigabitEthernet1/0/{port}")

    # Cameras, panels, visitors

    def camera(self, ms: int, camera: Host, kind: str, score: float = 0.0) -> None:
        """Say what a camera saw (``person``, ``vehicle``) or how it is (``online``, ``offline``, ``heartbeat``)."""
        if self.is_dark(camera, ms):
            return
        seen = f',"zone":"{camera.place}","score":{score:.2f},"track":"{camera.name}-{ms:x}"' if score else ""
        body = f'{{"id":"{camera.name}-{ms:x}-{kind[:2]}","time":"{iso(ms)}","camera":"{camera.name}","type":"{kind}"{seen}}}'
        self.put("cameras", self._delay(ms, 200, 1800), body.encode())

    def is_dark(self, camera: Host, ms: int) -> bool:
        """Tell whether a camera is lost at a moment."""
        return any(name == camera.name and since < ms < until for name, since, until in self.outages)

    def darken(self, camera: Host, since: int, until: int) -> None:
        """Let a camera be lost for a while: its recorder says so when it goes and when it is back."""
        self.outages.append((camera.name, since, until))
        self.camera(since, camera, "offline")
        self.camera(until, camera, "online")

    def panel(self, ms: int, site: str, qualifier: str, code: int, zone: str, text: str, user: str = "") -> None:
        """Write an alarm panel's signal with its Contact ID code; `qualifier` E is new or opening, R restore or closing."""
        who = f' user="{user}"' if user else ""
        body = (
            f'<132>1 {iso(ms)} panel-{site[0]} alarmd 77 CID [cid@32473 acct="{4700 + len(site)}" q="{qualifier}" code="{code}" '
            f'part="01" zone="{zone}"{who}] {text}'
        )
        self.put("panel", self._delay(ms, 100, 900), body.encode())

    def visitor(self, ms: int, visit: str, action: str, name: str, company: str, host: Member, badge: str) -> None:
        """Write a row of the reception's visitor list, dropped every half hour."""
        at = (ms // (30 * MINUTE) + 1) * 30 * MINUTE
        local = local_text(ms, "Europe/Berlin")
        file = f"visitors-{local[6:10]}{local[3:5]}{local[:2]}-{iso(at)[11:16].replace(':', '')}.csv"
        stamp = f"{local[6:10]}-{local[3:5]}-{local[:2]} {local[11:]}"
        row = f"{visit},{stamp},{host.site},{action},{name},{company},{host.number},{badge}"
        self.put_file("visitors", at, ms, row.encode(), file)
