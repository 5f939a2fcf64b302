// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.parallel;

import io.telechat.core.comm.Communicator;
import io.telechat.core.comm.RankException;
import io.telechat.core.model.PassMirror;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.KvCache;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells the other parts of a model what the first one computes. */
final class Leader implements PassMirror, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Leader.class);

    private final Pass.Channel channel;
    private final Map<KvCache, Long> caches = new IdentityHashMap<>();
    private long numbers;

    Leader(Communicator ranks) {
        this.channel = new Pass.Channel(ranks);
    }

    @Override
    public void forward(Batch batch) {
        List<Pass.Span> spans = new ArrayList<>();
        for (Batch.Span span : batch.spans()) {
            KvCache cache = span.cache();
            long number = caches.computeIfAbsent(cache, c -> numbers++);
            spans.add(new Pass.Span(
                    number,
                    cache.dtype(),
                    cache.length(),
                    span.count(),
                    span.rope().scaling()));
        }
        channel.send(new Pass.Forward(batch.tokens(), spans, closed()));
    }

    private List<Long> closed() {
        List<Long> closed = new ArrayList<>();
        for (Iterator<Map.Entry<KvCache, Long>> all = caches.entrySet().iterator(); all.hasNext(); ) {
            Map.Entry<KvCache, Long> entry = all.next();
            if (entry.getKey().isClosed()) {
                closed.add(entry.getValue());
                all.remove();
            }
        }
        return closed;
    }

    @Override
    public void logits(int from, int to) {
        channel.send(new Pass.Logits(from, to));
    }

    /** Lets the other parts go, unless they are gone. */
    @Override
    public void close() {
        try {
            channel.send(new Pass.End());
        } catch (RankException e) {
            LOG.debug("the parts of the model have come apart before", e);
        }
        channel.close();
    }
}
