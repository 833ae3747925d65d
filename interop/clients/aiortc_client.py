"""aiortc: WebRTC in Python. Usage: aiortc_client.py OPTIONS-AS-JSON; commands on stdin, reports on stdout.

aiortc gathers before it describes: its descriptions hold all candidates, and it trickles none. It neither rolls back nor
restarts ICE.
"""

import asyncio
import json
import os
import random
import sys
from urllib.parse import urlencode

import websockets
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError, VideoStreamTrack
from aiortc.sdp import candidate_from_sdp

OPTIONS = json.loads(sys.argv[1])


def say(event, **more):
    print(json.dumps({"event": event, **more}), flush=True)


class Client:
    def __init__(self):
        self.next_id = 0
        self.cursor = 0
        self.state = "idle"
        self.decoded = 0
        self.tasks = set()

    async def start(self):
        query = {
            "participant": OPTIONS["name"],
            "session": random.randrange(2**48),
            "call": OPTIONS["name"],
            "cursor": 0,
            "turn": 1,
        }
        self.socket = await websockets.connect(f"ws://{OPTIONS['server']}/v1/ws?{urlencode(query)}")
        self.begin("nobody", "nobody", "callee")
        self.spawn(self.heartbeat())
        self.spawn(self.listen())

    def spawn(self, work):
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def heartbeat(self):
        while True:
            await asyncio.sleep(15)
            await self.socket.send(json.dumps({"type": "ping", "nonce": 1, "cursor": self.cursor}))

    async def listen(self):
        async for text in self.socket:
            frame = json.loads(text)
            if frame["type"] == "welcome":
                say("ready")
            elif frame["type"] == "mail" and frame["place"] > self.cursor:
                self.cursor = frame["place"]
                await self.socket.send(json.dumps({"type": "ack", "cursor": self.cursor}))
                try:
                    await self.on(frame["message"])
                except Exception as error:
                    say("problem", what=f"{frame['message']['body']['type']}: {type(error).__name__}: {error}")

    async def send(self, body, to=None, call=None):
        self.next_id += 1
        message = {
            "version": 1,
            "id": self.next_id,
            "call": call or self.call,
            "from": OPTIONS["name"],
            "to": to or self.peer,
            "body": body,
        }
        await self.socket.send(json.dumps({"type": "message", "cursor": self.cursor, "message": message}))

    def enter(self, state, reason=None):
        if state != self.state:
            self.state = state
            say("state", state=state, reason=reason)

    def begin(self, peer, call, role):
        self.peer, self.call, self.role = peer, call, role
        self.connection = None
        self.round = 0
        self.held = []
        self.channels = {}
        self.ringing = None

    async def end(self, reason, word=None):
        if self.state in ("idle", "ended"):
            return
        if self.ringing:
            self.ringing.cancel()
        if word:
            await self.send({"type": word, "reason": reason})
        self.enter("ended", reason)
        if self.connection:
            await self.connection.close()

    async def ring_until(self, seconds):
        await asyncio.sleep(seconds)
        self.ringing = None
        await self.end("no-answer", "bye")

    async def build(self):
        servers = [RTCIceServer(**server) for server in OPTIONS["iceServers"]]
        self.connection = connection = RTCPeerConnection(RTCConfiguration(iceServers=servers))

        @connection.on("connectionstatechange")
        def changed():
            if connection.connectionState == "connected":
                self.enter("connected")
            elif connection.connectionState in ("disconnected", "failed") and self.state == "connected":
                self.enter("reconnecting")

        @connection.on("track")
        def came(track):
            say("track", kind=track.kind)
            self.spawn(self.watch(track))

        connection.on("datachannel", self.own)
        if OPTIONS["media"]["audio"]:
            connection.addTrack(AudioStreamTrack())
        if OPTIONS["media"]["video"]:
            connection.addTrack(VideoStreamTrack())
        if self.role == "caller":
            self.own(connection.createDataChannel("ordered"))
            self.own(connection.createDataChannel("unordered", ordered=False))

    def own(self, channel):
        self.channels[channel.label] = channel

        @channel.on("message")
        def message(data):
            text = data if isinstance(data, str) else data.decode()
            say("data", label=channel.label, text=text)

    async def watch(self, track):
        try:
            while True:
                await track.recv()
                self.decoded += track.kind == "video"
        except MediaStreamError:
            pass

    async def offer(self):
        connection = self.connection
        if connection.signalingState != "stable":
            return
        await connection.setLocalDescription(await connection.createOffer())
        self.round += 1
        say("offered", round=self.round)
        await self.send({"type": "offer", "sdp": connection.localDescription.sdp, "negotiation": self.round})

    async def on(self, message):
        body, kind = message["body"], message["body"]["type"]
        if kind == "ring":
            if self.state not in ("idle", "ended"):
                return await self.send({"type": "reject", "reason": "busy"}, message["from"], message["call"])
            self.begin(message["from"], message["call"], "callee")
            await self.send({"type": "ringing"})
            self.enter("ringing")
            return say("incoming", call=self.call, **{"from": self.peer})
        if message["from"] != self.peer or message["call"] != self.call or self.state == "ended":
            return
        if kind == "ringing":
            self.enter("ringing")
        elif kind == "accept":
            if self.ringing:
                self.ringing.cancel()
            self.enter("connecting")
            await self.build()
            await self.offer()
        elif kind in ("bye", "reject"):
            await self.end(body["reason"])
        elif kind == "offer" and body["negotiation"] > self.round:
            self.round = body["negotiation"]
            await self.connection.setRemoteDescription(RTCSessionDescription(body["sdp"], "offer"))
            await self.apply_held()
            await self.connection.setLocalDescription(await self.connection.createAnswer())
            sdp = self.connection.localDescription.sdp
            await self.send({"type": "answer", "sdp": sdp, "negotiation": self.round})
        elif kind == "answer" and body["negotiation"] == self.round:
            await self.connection.setRemoteDescription(RTCSessionDescription(body["sdp"], "answer"))
            await self.apply_held()
        elif kind == "candidate":
            self.held.append(body)
            if self.connection and self.connection.remoteDescription:
                await self.apply_held()

    async def apply_held(self):
        held, self.held = self.held, []
        for body in held:
            candidate = candidate_from_sdp(body["candidate"].split(":", 1)[1])
            candidate.sdpMid = body.get("sdpMid")
            candidate.sdpMLineIndex = body.get("sdpMLineIndex")
            await self.connection.addIceCandidate(candidate)

    async def counts(self):
        counts = {"audioIn": 0, "videoIn": 0, "audioOut": 0, "videoOut": 0, "decoded": self.decoded}
        for stats in (await self.connection.getStats()).values() if self.connection else []:
            if stats.type == "inbound-rtp":
                counts[f"{stats.kind}In"] += stats.packetsReceived
            elif stats.type == "outbound-rtp":
                counts[f"{stats.kind}Out"] += stats.packetsSent
        say("counts", **counts)

    async def hold(self, held):
        for transceiver in self.connection.getTransceivers():
            transceiver.direction = "sendonly" if held else "sendrecv"
        await self.offer()

    async def add_video(self):
        self.connection.addTrack(VideoStreamTrack())
        await self.offer()

    async def command(self, line):
        word, _, rest = line.partition(" ")
        if word == "dial":
            peer, call = rest.split(" ")
            self.begin(peer, call, "caller")
            media = OPTIONS["media"]
            await self.send({"type": "ring", "media": media})
            self.enter("dialling")
            self.ringing = self.spawn(self.ring_until(OPTIONS["ringMs"] / 1000))
        elif word == "accept":
            await self.build()
            await self.send({"type": "accept"})
            self.enter("connecting")
        elif word == "reject":
            await self.end("declined", "reject")
        elif word == "hang-up":
            is_cancelled = self.role == "caller" and not self.connection
            await self.end("cancelled" if is_cancelled else "hung-up", "bye")
        elif word == "data":
            self.channels["ordered"].send(rest)
        elif word == "counts":
            await self.counts()
        elif word in ("hold", "resume"):
            await self.hold(word == "hold")
        elif word in ("screen", "add-video"):
            await self.add_video()
        else:
            say("unsupported", what=word)


async def main():
    client = Client()
    await client.start()
    loop = asyncio.get_running_loop()
    while True:
        line = (await loop.run_in_executor(None, sys.stdin.readline)).strip()
        if line in ("", "quit", "close-tab"):
            break
        try:
            await client.command(line)
        except Exception as error:
            say("problem", what=f"{line}: {type(error).__name__}: {error}")
    # Threads of the decoders would be waited for; a killed program says nothing.
    os._exit(0)


asyncio.run(main())
