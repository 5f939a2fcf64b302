// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.api;

import io.telechat.infer.generation.Generation;

/** Times what comes of the sequences of one request. Called on the engine's thread. */
final class JobMetrics {
    private final ServerMetrics server;
    private final long start = System.nanoTime();
    private final long[] latest;

    JobMetrics(ServerMetrics server, int sequences) {
        this.server = server;
        this.latest = new long[sequences];
    }

    void token(int index) {
        long now = System.nanoTime();
        if (latest[index] == 0) {
            server.timeToFirstToken(now - start);
        } else {
            server.interTokenLatency(now - latest[index]);
        }
        latest[index] = now;
    }

    void finished(String reason, Generation.Timings timings) {
        server.finished(reason, System.nanoTime() - start, timings);
    }

    void failed() {
        server.failed();
    }
}
