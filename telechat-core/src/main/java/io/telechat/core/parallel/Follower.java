// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.parallel;

import io.telechat.core.comm.Communicator;
import io.telechat.core.model.Activations;
import io.telechat.core.model.CausalLm;
import io.telechat.core.model.LayerObserver;
import io.telechat.core.model.PassMemory;
import io.telechat.core.ops.Batch;
import io.telechat.core.ops.BlockPool;
import io.telechat.core.ops.BlockTable;
import io.telechat.core.ops.KvCache;
import io.telechat.core.ops.RopeTable;
import io.telechat.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Computes what the leading part of a model computes, with another part, until that one ends. */
final class Follower implements AutoCloseable {
    private final CausalLm model;
    private final Pass.Channel channel;
    private final Map<Long, BlockPool> pools = new HashMap<>();
    private final PassMemory memory;
    private Activations activations;
    private Tensor hidden;

    Follower(CausalLm model, Communicator ranks) {
        this.model = model;
        this.channel = new Pass.Channel(ranks);
        this.memory = new PassMemory(model);
    }

    /** Returns when the leader has closed its model. */
    void run() {
        while (true) {
            // The leader waits for this part's share as soon as it wants its own result.
            model.flush();
            switch (channel.receive()) {
                case Pass.Forward pass -> forward(pass);
                case Pass.Logits pass ->
                    model.logits(hidden, pass.rows(), activations, memory.logits(pass.rows().length));
                case Pass.Turn pass -> model.turnKeys(cache(pass.blocks()), pass.from(), pass.to());
                case Pass.Copy pass -> {
                    BlockPool pool = pool(pass.pool());
                    pool.have(Math.max(pass.from(), pass.to()));
                    model.copyBlock(pool, pass.from(), pass.to());
                }
                case Pass.End end -> {
                    return;
                }
            }
        }
    }

    private void forward(Pass.Forward pass) {
        pass.closed().forEach(number -> pools.remove(number).close());
        List<Batch.Span> spans = new ArrayList<>();
        int first = 0;
        for (Pass.Span span : pass.spans()) {
            KvCache cache = cache(span.blocks());
            RopeTable rope = model.ropeTable(span.scaling(), cache.length(), span.count());
            spans.add(new Batch.Span(first, span.count(), cache, rope, span.adapter()));
            first += span.count();
        }
        activations = memory.activations(first);
        hidden = model.forward(new Batch(pass.tokens(), spans), activations, LayerObserver.NONE);
    }

    /** The leader takes and frees the blocks: here, their memory is all there is to see to. */
    private KvCache cache(Pass.Blocks blocks) {
        BlockTable table = new BlockTable(pool(blocks.pool()));
        for (int block : blocks.numbers()) {
            table.pool().have(block);
            table.add(block);
        }
        return KvCache.of(table, blocks.length());
    }

    private BlockPool pool(Pass.Pool pool) {
        return pools.computeIfAbsent(pool.number(), n -> model.newPool(pool.dtype(), BlockPool.UNBOUNDED));
    }

    @Override
    public void close() {
        pools.values().forEach(BlockPool::close);
        memory.close();
        channel.close();
    }
}
