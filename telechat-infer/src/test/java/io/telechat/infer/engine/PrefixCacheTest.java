// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.ops.BlockPool;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.KvLayout;
import io.telechat.core.ops.RopeScaling;
import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PrefixCacheTest {
    private static final int BLOCK = KvLayout.BLOCK;
    private static final PrefixCache.Scope SCOPE = new PrefixCache.Scope(0, new RopeScaling(10_000, 1, false), "");

    private final BlockPool pool =
            new BlockPool(new KvLayout(1, new HeadLayout(1, 1, 2), DType.F32), new HostArena(), 100);
    private final PrefixCache cache = new PrefixCache(pool);

    @AfterEach
    void close() {
        pool.close();
    }

    private static int[] text(int count, int variant) {
        return IntStream.range(0, count).map(i -> i * 31 + variant).toArray();
    }

    /** Puts full blocks of a text in, as a sequence that has ended. */
    private PrefixCache.Node put(int[] text) {
        PrefixCache.Node node = cache.root(SCOPE);
        for (int first = 0; first < text.length; first += BLOCK) {
            int block = pool.take();
            node = cache.add(node, Arrays.copyOfRange(text, first, Math.min(text.length, first + BLOCK)), block);
            pool.release(block);
        }
        return node;
    }

    @Test
    void theLongestBeginningIsFoundToTheToken() {
        int[] text = text(3 * BLOCK + 10, 0);
        put(text);
        assertEquals(text.length, cache.match(SCOPE, text, text.length).tokens());
        assertEquals(text.length - 1, cache.match(SCOPE, text, text.length - 1).tokens());
        int[] other = text.clone();
        other[BLOCK + 5] = -1;
        PrefixCache.Match match = cache.match(SCOPE, other, other.length);
        assertEquals(1, match.nodes().size());
        assertEquals(5, match.partCount());
        assertEquals(0, cache.match(SCOPE, text(200, 7), 200).tokens());
    }

    @Test
    void anotherScopeSharesNothing() {
        int[] text = text(BLOCK, 0);
        put(text);
        for (PrefixCache.Scope other : new PrefixCache.Scope[] {
            new PrefixCache.Scope(1, SCOPE.scaling(), ""),
            new PrefixCache.Scope(0, new RopeScaling(10_001, 1, false), ""),
            new PrefixCache.Scope(0, SCOPE.scaling(), "salt")
        }) {
            assertEquals(0, cache.match(other, text, BLOCK).tokens());
        }
    }

    @Test
    void theSameTokensAreKeptOnce() {
        int[] text = text(BLOCK, 0);
        PrefixCache.Node first = put(text);
        int block = pool.take();
        assertSame(first, cache.add(cache.root(SCOPE), text, block));
        pool.release(block);
        assertEquals(1, pool.idle());
    }

    @Test
    void theLongestUnusedGoesFirstAndAnEndBeforeItsBeginning() {
        int[] old = text(2 * BLOCK, 1);
        int[] young = text(2 * BLOCK, 2);
        put(old);
        put(young);
        cache.match(SCOPE, old, old.length); // used again
        assertTrue(cache.evict());
        assertEquals(BLOCK, cache.match(SCOPE, young, young.length).tokens());
        assertEquals(2 * BLOCK, cache.match(SCOPE, old, old.length).tokens());
    }

    @Test
    void whatSomebodyUsesIsNotGivenUp() {
        PrefixCache.Node node = put(text(BLOCK, 1));
        pool.retain(node.block());
        assertTrue(!cache.evict());
        pool.release(node.block());
        assertTrue(cache.evict());
        assertEquals(0, pool.idle() + pool.used());
    }

    @Test
    void aBlockThatIsForgottenTakesAllBehindItAlong() {
        int[] text = text(3 * BLOCK, 1);
        PrefixCache.Node first = cache.match(SCOPE, text, BLOCK).part();
        assertNull(first);
        put(text);
        cache.forget(cache.match(SCOPE, text, BLOCK).nodes().getFirst().block());
        assertEquals(0, pool.idle());
        assertEquals(0, cache.match(SCOPE, text, text.length).tokens());
    }
}
