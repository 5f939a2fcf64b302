// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.parallel;

import io.telechat.core.comm.Communicator;
import io.telechat.core.comm.RankException;
import io.telechat.core.model.PassMirror;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.BlockPool;
import io.telechat.core.ops.KvCache;
import io.telechat.core.ops.RopeScaling;
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
    private final Map<BlockPool, Long> pools = new IdentityHashMap<>();
    private long numbers;

    Leader(Communicator ranks) {
        this.channel = new Pass.Channel(ranks);
    }

    @Override
    public void forward(Batch batch) {
        List<Pass.Span> spans = new ArrayList<>();
        for (Batch.Span span : batch.spans()) {
            spans.add(new Pass.Span(
                    blocks(span.cache()), span.count(), span.rope().scaling(), span.adapter()));
        }
        channel.send(new Pass.Forward(batch.tokens(), spans, closed()));
    }

    private Pass.Blocks blocks(KvCache cache) {
        return new Pass.Blocks(pool(cache.table().pool()), cache.table().toArray(), cache.length());
    }

    private Pass.Pool pool(BlockPool pool) {
        long number = pools.computeIfAbsent(pool, p -> numbers++);
        return new Pass.Pool(number, pool.layout().dtype());
    }

    private List<Long> closed() {
        List<Long> closed = new ArrayList<>();
        for (Iterator<Map.Entry<BlockPool, Long>> all = pools.entrySet().iterator(); all.hasNext(); ) {
            Map.Entry<BlockPool, Long> entry = all.next();
            if (entry.getKey().isClosed()) {
                closed.add(entry.getValue());
                all.remove();
            }
        }
        return closed;
    }

    @Override
    public void logits(int... rows) {
        channel.send(new Pass.Logits(rows));
    }

    @Override
    public void turnKeys(KvCache cache, RopeScaling from, RopeScaling to) {
        channel.send(new Pass.Turn(blocks(cache), from, to));
    }

    @Override
    public void copyBlock(BlockPool pool, int from, int to) {
        channel.send(new Pass.Copy(pool(pool), from, to));
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
