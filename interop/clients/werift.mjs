// werift: WebRTC in TypeScript. It neither encodes nor decodes: what is sent is RTP with payloads of Opus' silence, and of
// a VP8 frame's head for video.

export default function werift(packages) {
  const { RTCPeerConnection: Bare, MediaStream, MediaStreamTrack, RtpPacket, RtpHeader } = packages("werift");
  const counts = { audioIn: 0, videoIn: 0, audioOut: 0, videoOut: 0 };

  class RTCPeerConnection extends Bare {
    constructor(configuration) {
      super(configuration);
      this.connectionStateChange.subscribe(() => this.onconnectionstatechange?.());
      this.onTrack.subscribe((track) => track.onReceiveRtp.subscribe(() => (counts[`${track.kind}In`] += 1)));
    }
  }

  function source(kind) {
    const track = new MediaStreamTrack({ kind });
    const [interval, clock] = kind === "audio" ? [20, 960] : [66, 5_940];
    const payload = Buffer.from(kind === "audio" ? [0xf8, 0xff, 0xfe] : [0x10, 0x10, 0x00, 0x00, 0x9d, 0x01, 0x2a, 0, 1, 0, 1]);
    let [sequenceNumber, timestamp] = [1, 1];
    const timer = setInterval(() => {
      if (track.stopped) return clearInterval(timer);
      if (track.enabled === false) return;
      const header = new RtpHeader({ sequenceNumber: sequenceNumber++ & 0xffff, timestamp, marker: true, payloadType: 96 });
      timestamp = (timestamp + clock) >>> 0;
      track.writeRtp(new RtpPacket(header, payload));
      counts[`${kind}Out`] += 1;
    }, interval);
    return track;
  }

  const stream = (...tracks) => new MediaStream(tracks);
  const devices = {
    getUserMedia: async ({ audio, video }) => stream(...(audio ? [source("audio")] : []), ...(video ? [source("video")] : [])),
    getDisplayMedia: async () => stream(source("video")),
  };
  return { RTCPeerConnection, devices, count: async () => ({ ...counts }) };
}
