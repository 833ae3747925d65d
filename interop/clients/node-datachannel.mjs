// node-datachannel: libdatachannel, by its polyfill of RTCPeerConnection, which has data channels and no media.

export default function nodeDatachannel(packages) {
  const { RTCPeerConnection: Bare } = packages("node-datachannel/polyfill");

  class RTCPeerConnection extends Bare {
    // It has none, and a call without media is one all the same.
    addTransceiver() {}
  }
  return { RTCPeerConnection, devices: undefined, count: async () => ({}) };
}
