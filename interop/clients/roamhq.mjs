// @roamhq/wrtc: Google's implementation, as a browser has it.

import { countByStats } from "./driver.js";

export default function roamhq(packages) {
  const { RTCPeerConnection, MediaStream, nonstandard } = packages("@roamhq/wrtc");
  const { RTCAudioSource, RTCVideoSource } = nonstandard;

  function microphone() {
    const source = new RTCAudioSource();
    let at = 0;
    const next = () => Math.round(8_000 * Math.sin((at++ / 48_000) * 2 * Math.PI * 440));
    setInterval(() => {
      const samples = Int16Array.from({ length: 480 }, next);
      source.onData({ samples, sampleRate: 48_000, bitsPerSample: 16, channelCount: 1, numberOfFrames: 480 });
    }, 10);
    return source.createTrack();
  }

  function camera() {
    const source = new RTCVideoSource();
    const [width, height] = [320, 240];
    let frame = 0;
    setInterval(() => {
      source.onFrame({ width, height, data: new Uint8ClampedArray((width * height * 3) / 2).fill((frame += 5) % 256) });
    }, 66);
    return source.createTrack();
  }

  const devices = {
    getUserMedia: async ({ audio, video }) => new MediaStream([...(audio ? [microphone()] : []), ...(video ? [camera()] : [])]),
    getDisplayMedia: async () => new MediaStream([camera()]),
  };
  return { RTCPeerConnection, devices, count: countByStats };
}
