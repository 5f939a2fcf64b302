// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import io.telechat.core.model.CausalLm;
import io.telechat.core.model.MemoryPlan;
import io.telechat.core.ops.BlockPool;
import io.telechat.core.ops.BlockTable;
import io.telechat.core.ops.KvLayout;
import io.telechat.core.ops.RopeScaling;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedList;
import java.util.List;

/**
 * Decides which tokens the next pass computes. Sequences that run come first, in the order of their admission: one token each, and
 * of prompts as much as the step's budget allows. Then those that wait, first come, first served, as long as there is memory for
 * their prompt and one more block; but for those whose beginning somebody else computes just now. Where memory runs out, the prefix cache gives up blocks that nobody uses; then the sequence that
 * was admitted last loses all of its blocks, and waits, before all others, to be computed again.
 */
final class Scheduler {
    /** Rows of a prompt whose logits are all wanted, which take memory. */
    private static final int LOGIT_ROWS = 64;

    /** Rows that sequences and their guesses take together: about as many as cost little more than one. */
    private static final int DRAFTED_ROWS = 16;

    /** Sequences that a step looks at to find out whether they can be admitted. */
    private static final int EXAMINED = 256;

    private final CausalLm model;
    private final BlockPool pool;
    private final PrefixCache prefixes;
    private final int maxBatch;
    private final Drafter drafter;
    private final int maxDrafts;
    private final StepBudget budget = new StepBudget();
    private final List<Sequence> running = new ArrayList<>();
    private final LinkedList<Sequence> waiting = new LinkedList<>();
    private long preemptions;
    private long prefixQueries;
    private long prefixHits;

    Scheduler(CausalLm model, BlockPool pool, EngineOptions options, Drafter drafter) {
        this.model = model;
        this.pool = pool;
        this.prefixes = new PrefixCache(pool);
        this.maxBatch = options.maxBatch();
        this.drafter = drafter;
        this.maxDrafts = options.maxDrafts();
    }

    /**
     * The next tokens of a sequence, all rotated alike.
     *
     * @param first position of the first of them
     * @param wanted of how many rows, the last ones, logits are wanted: to be scored, or to draw from
     * @param decoding whether the first of them was generated in the step before
     * @param drafts how many of them, the last ones, are guesses
     */
    record Chunk(
            Sequence sequence, int first, int count, int wanted, boolean decoding, int drafts, RopeScaling scaling) {
        boolean isScored() {
            return sequence.request().goal() instanceof Goal.Score;
        }

        /** How many rows there are to draw from, or to take log-probabilities of the prompt of. */
        int drawn() {
            return isScored() ? 0 : wanted;
        }
    }

    List<Sequence> running() {
        return running;
    }

    List<Sequence> waiting() {
        return waiting;
    }

    PrefixCache prefixes() {
        return prefixes;
    }

    StepBudget budget() {
        return budget;
    }

    long preemptions() {
        return preemptions;
    }

    long prefixQueries() {
        return prefixQueries;
    }

    long prefixHits() {
        return prefixHits;
    }

    /** What the next pass computes; empty if there is nothing. */
    List<Chunk> schedule() {
        List<Chunk> chunks = new ArrayList<>();
        int decoding = (int) running.stream().filter(Sequence::isDecoding).count();
        int drafted = draft(decoding);
        int rows = Math.min(budget.rows(decoding), MemoryPlan.MAX_ROWS - decoding - drafted);
        boolean preempted = false;
        for (int i = 0; i < running.size(); i++) { // preempting shortens the list behind i
            Sequence sequence = running.get(i);
            int most = sequence.isDecoding() ? 1 + sequence.drafts() : promptRows(sequence, rows);
            if (most == 0) {
                continue;
            }
            int count = sequence.alike(most);
            preempted |= makeRoom(sequence, count);
            if (i < running.size() && running.get(i) == sequence) {
                chunks.add(chunk(sequence, count));
                rows -= sequence.isDecoding() ? 0 : count;
            }
        }
        if (!preempted) {
            admit(chunks, rows);
        }
        return chunks;
    }

    /** Has tokens guessed, where few sequences leave room for that; how many. */
    private int draft(int decoding) {
        int most = decoding == 0 ? 0 : Math.min(maxDrafts, DRAFTED_ROWS / decoding - 1);
        int drafted = 0;
        for (Sequence sequence : running) {
            if (sequence.isDecoding()) {
                // The token behind the last guess is drawn as well.
                int left = sequence.longest() - sequence.answer().length() - 1;
                int wanted = Math.min(sequence.draftsWorthwhile(most), left);
                sequence.setDrafts(
                        wanted <= 0
                                ? new int[0]
                                : drafter.draft(sequence, sequence.tokens(), sequence.length(), wanted));
                drafted += sequence.drafts();
            }
        }
        return drafted;
    }

    private static int promptRows(Sequence sequence, int rows) {
        int before = Math.max(0, sequence.firstWantedRow() - sequence.computed());
        boolean scored = sequence.request().goal() instanceof Goal.Score; // a few rows at a time, by who runs them
        return Math.min(sequence.pending(), scored ? rows : Math.min(rows, before + LOGIT_ROWS));
    }

    private static Chunk chunk(Sequence sequence, int count) {
        int first = sequence.computed();
        RopeScaling scaling = sequence.scaling(first);
        if (sequence.isDecoding()) {
            return new Chunk(sequence, first, count, count, true, count - 1, scaling);
        }
        int wanted = Math.clamp(first + count - sequence.firstWantedRow(), 0, count);
        return new Chunk(sequence, first, count, wanted, false, 0, scaling);
    }

    private void admit(List<Chunk> chunks, int budgeted) {
        int rows = budgeted;
        int examined = 0;
        for (Iterator<Sequence> next = waiting.iterator(); next.hasNext() && running.size() < maxBatch && rows > 0; ) {
            Sequence sequence = next.next();
            if (sequence.awaited().isComing()) {
                continue;
            }
            if (examined++ == EXAMINED) {
                return;
            }
            int sharable = sharable(sequence);
            PrefixCache.Match match = prefixes.match(sequence.scope(), sequence.tokens(), sharable);
            if (sequence.awaited().find(running, match.tokens(), sharable)) {
                continue;
            }
            int missing = KvLayout.blocks(sequence.length() + sequence.request().room())
                    - match.nodes().size();
            if (!isFree(missing, match)) {
                return;
            }
            next.remove();
            sequence.awaited().end();
            running.add(sequence);
            adopt(sequence, match);
            int count = sequence.alike(promptRows(sequence, rows));
            if (makeRoom(sequence, count)) {
                return;
            }
            chunks.add(chunk(sequence, count));
            rows -= count;
        }
    }

    /** How many tokens others may have computed of it: those whose rows are not wanted, and all but the last. */
    private static int sharable(Sequence sequence) {
        int unwanted = Math.min(sequence.firstWantedRow(), sequence.length() - 1);
        return Math.min(sequence.alike(sequence.length()), unwanted);
    }

    /** Whether so many blocks can be had, without those of a match. */
    private boolean isFree(int blocks, PrefixCache.Match match) {
        long own = match.nodes().stream()
                .filter(node -> pool.references(node.block()) == 0)
                .count();
        return blocks <= pool.available() + pool.idle() - own;
    }

    private void adopt(Sequence sequence, PrefixCache.Match match) {
        match.nodes().forEach(node -> pool.retain(node.block())); // so that making room for the copy does not take them
        PrefixCache.Match taken = match;
        if (match.part() != null) {
            pool.retain(match.part().block());
            boolean room = pool.available() > 0 || prefixes.evict();
            pool.release(match.part().block());
            taken = room ? match : new PrefixCache.Match(match.nodes(), null, 0);
        }
        sequence.shared().adopt(taken).ifPresent(copy -> model.copyBlock(pool, copy.from(), copy.to()));
        match.nodes().forEach(node -> pool.release(node.block()));
        int cached = Math.min(sequence.computed(), sequence.promptLength());
        if (sequence.admitted(cached)) {
            prefixQueries += sequence.promptLength();
            prefixHits += cached;
        }
    }

    /**
     * Sees to it that the next tokens of a sequence have blocks, and that nobody else uses those whose keys are turned.
     *
     * @return whether sequences were preempted for that, perhaps this one
     */
    private boolean makeRoom(Sequence sequence, int count) {
        BlockTable table = sequence.cache().table();
        boolean turns = model.turns(sequence.cache(), sequence.scaling(sequence.computed()));
        boolean preempted = false;
        while (true) {
            int missing = KvLayout.blocks(sequence.computed() + count) - table.size();
            int copies = turns ? usedByOthers(table) : 0;
            if (missing + copies <= pool.available()) {
                if (turns) {
                    haveAlone(table);
                }
                sequence.cache().reserve(sequence.computed() + count);
                return preempted;
            }
            if (!prefixes.evict()) {
                preempted = true;
                if (preemptLast() == sequence) {
                    return true;
                }
            }
        }
    }

    /** How many blocks other sequences use as well; the others are forgotten in the prefix cache. */
    private int usedByOthers(BlockTable table) {
        int count = 0;
        for (int i = 0; i < table.size(); i++) {
            int block = table.get(i);
            if (pool.references(block) > 1) {
                count++;
            } else if (prefixes.has(block)) {
                prefixes.forget(block);
            }
        }
        return count;
    }

    /** Copies what others use as well. */
    private void haveAlone(BlockTable table) {
        for (int i = 0; i < table.size(); i++) {
            int block = table.get(i);
            if (pool.references(block) > 1) {
                int own = pool.take();
                model.copyBlock(pool, block, own);
                table.replace(i, own);
            }
        }
    }

    private Sequence preemptLast() {
        Sequence last = running.removeLast();
        last.shared().release(prefixes);
        waiting.addFirst(last);
        preemptions++;
        return last;
    }
}
