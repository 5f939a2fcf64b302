// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.telechat.core.tensor.DType;
import io.telechat.core.tensor.HostArena;
import org.junit.jupiter.api.Test;

class BlockPoolTest {
    private static final KvLayout LAYOUT = new KvLayout(2, new HeadLayout(2, 1, 4), DType.F32);

    private static BlockPool pool(int capacity) {
        return new BlockPool(LAYOUT, new HostArena(), capacity);
    }

    @Test
    void aBlockIsFreeWithItsLastReference() {
        try (BlockPool pool = pool(2)) {
            int first = pool.take();
            int second = pool.take();
            assertNotEquals(first, second);
            assertThrows(IllegalStateException.class, pool::take);
            pool.retain(first);
            pool.release(first);
            assertEquals(0, pool.available());
            pool.release(first);
            assertEquals(1, pool.available());
            assertEquals(first, pool.take());
        }
    }

    @Test
    void aKeptBlockIsIdleUntilItIsDropped() {
        try (BlockPool pool = pool(2)) {
            int block = pool.take();
            pool.keep(block);
            pool.release(block);
            assertEquals(1, pool.idle());
            assertEquals(0, pool.used());
            assertEquals(1, pool.available());
            pool.retain(block);
            assertEquals(0, pool.idle());
            assertEquals(1, pool.used());
            pool.drop(block);
            assertEquals(1, pool.used(), "somebody still uses it");
            pool.release(block);
            assertEquals(2, pool.available());
        }
    }

    @Test
    void aCacheTakesBlocksAsItGrowsAndGivesThemBack() {
        try (BlockPool pool = pool(BlockPool.UNBOUNDED)) {
            RopeScaling scaling = new RopeScaling(10_000, 1, false);
            KvCache cache = KvCache.in(pool);
            cache.reserve(65);
            cache.advance(65, scaling);
            assertEquals(2, pool.used());
            assertTrue(cache.isAsFreshUnder(scaling));
            cache.truncate(64);
            assertEquals(1, pool.used());
            cache.advance(1, new RopeScaling(20_000, 1, false));
            assertTrue(!cache.isAsFreshUnder(scaling) && !cache.isAsFreshUnder(new RopeScaling(20_000, 1, false)));
            cache.close();
            assertEquals(0, pool.used());
        }
    }

    @Test
    void aBlockHasTheBytesThatItsPositionsTake() {
        try (BlockPool pool = pool(1)) {
            assertEquals(LAYOUT.blockBytes(), pool.block(pool.take()).bytes());
            assertEquals(64 * 2 * 2 * 4 * 4, LAYOUT.blockBytes());
        }
    }
}
