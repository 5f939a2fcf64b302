// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import io.telechat.core.ops.BlockPool;
import io.telechat.core.ops.KvLayout;
import io.telechat.core.ops.RopeScaling;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/**
 * Blocks that may serve other sequences which begin alike: a tree, in which a path from a root spells the tokens. It compares
 * tokens, not hashes of them, so that nothing is ever shared by mistake. It keeps its blocks, and gives up those that
 * nobody uses when memory is short: the longest unused first, the end of a text before its beginning.
 */
final class PrefixCache {
    private static final int BLOCK = KvLayout.BLOCK;

    private final BlockPool pool;
    private final Map<Scope, Node> roots = new HashMap<>();
    private final Map<Integer, Node> byBlock = new HashMap<>();
    /** Longest unused first. */
    private final LinkedHashSet<Node> byUse = new LinkedHashSet<>();

    PrefixCache(BlockPool pool) {
        this.pool = pool;
    }

    /** What else must be the same for the same tokens to give the same keys and values. */
    record Scope(int adapter, RopeScaling scaling, String salt) {}

    /** Some tokens, by value. */
    private record Key(int[] tokens) {
        @Override
        public boolean equals(Object other) {
            return other instanceof Key key && Arrays.equals(tokens, key.tokens);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(tokens);
        }
    }

    /** A block, and the tokens whose keys and values are at its beginning. */
    static final class Node {
        private final Node parent;
        private final int block;
        /** Of a root; null elsewhere. */
        private final Scope scope;

        private final Map<Key, Node> children = new HashMap<>();
        private int[] tokens;

        private Node(Node parent, int block, Scope scope, int[] tokens) {
            this.parent = parent;
            this.block = block;
            this.scope = scope;
            this.tokens = tokens;
        }

        int block() {
            return block;
        }
    }

    /**
     * What is there of a text.
     *
     * @param nodes full blocks, from the beginning
     * @param part a block behind them whose first {@code partCount} tokens go on with the text; null if there is none
     */
    record Match(List<Node> nodes, Node part, int partCount) {
        int tokens() {
            return nodes.size() * BLOCK + partCount;
        }
    }

    Node root(Scope scope) {
        return roots.computeIfAbsent(scope, s -> new Node(null, -1, s, new int[0]));
    }

    /** The longest beginning of the first {@code limit} tokens that is there. */
    Match match(Scope scope, int[] tokens, int limit) {
        List<Node> nodes = new ArrayList<>();
        Node at = roots.get(scope);
        if (at == null) {
            return new Match(nodes, null, 0);
        }
        while ((nodes.size() + 1) * BLOCK <= limit) {
            int first = nodes.size() * BLOCK;
            Node next = at.children.get(new Key(Arrays.copyOfRange(tokens, first, first + BLOCK)));
            if (next == null) {
                break;
            }
            nodes.add(next);
            at = next;
        }
        Node part = null;
        int partCount = 0;
        int first = nodes.size() * BLOCK;
        for (Node child : at.children.values()) {
            int end = Math.min(limit, first + child.tokens.length);
            int difference = Arrays.mismatch(child.tokens, 0, end - first, tokens, first, end);
            int common = difference < 0 ? end - first : difference;
            if (common > partCount) {
                part = child;
                partCount = common;
            }
        }
        if (part != null) {
            touch(part);
        }
        touch(at);
        return new Match(nodes, part, partCount);
    }

    /** Notes that a node and all before it were used just now. */
    void touch(Node node) {
        for (Node at = node; at.parent != null; at = at.parent) {
            if (byUse.remove(at)) {
                byUse.add(at);
            }
        }
    }

    /**
     * Adds a block behind others.
     *
     * @param tokens at its beginning
     * @return the node; where the same tokens are there already, that of another block
     */
    Node add(Node parent, int[] tokens, int block) {
        Node node = parent.children.computeIfAbsent(new Key(tokens), key -> new Node(parent, block, null, tokens));
        if (node.block == block) {
            pool.keep(block);
            byBlock.put(block, node);
            byUse.add(node);
        }
        return node;
    }

    /**
     * More tokens of a block have been computed.
     *
     * @return the node; where the same tokens are there already, that of another block, and this one's is forgotten
     */
    Node extend(Node node, int[] tokens) {
        Node other = node.parent.children.get(new Key(tokens));
        if (other != null) {
            forget(node);
            return other;
        }
        node.parent.children.remove(new Key(node.tokens));
        node.tokens = tokens;
        node.parent.children.put(new Key(tokens), node);
        return node;
    }

    /** Whether a block is in the cache. */
    boolean has(int block) {
        return byBlock.containsKey(block);
    }

    /** Takes a block out of the cache, and with it all behind it. */
    void forget(int block) {
        forget(byBlock.get(block));
    }

    private void forget(Node node) {
        List.copyOf(node.children.values()).forEach(this::forget);
        node.parent.children.remove(new Key(node.tokens));
        if (node.parent.scope != null && node.parent.children.isEmpty()) {
            roots.remove(node.parent.scope, node.parent);
        }
        byUse.remove(node);
        byBlock.remove(node.block);
        pool.drop(node.block);
    }

    /** Gives up the block that has been unused for longest; false if all are in use. */
    boolean evict() {
        for (Node node : byUse) {
            if (node.children.isEmpty() && pool.references(node.block) == 0) {
                forget(node);
                return true;
            }
        }
        return false;
    }
}
