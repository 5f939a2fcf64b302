// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.architecture;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.Weight;
import io.telechat.core.ops.WeightId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One of several parts that a model is cut into, each of which computes a share of every layer (Shoeybi et al. 2019,
 * arXiv:1909.08053): whole attention heads, columns of the feed-forward network, tokens of the vocabulary. Of queries | keys |
 * values, gate | up, embedding and head a part holds rows; of the two matrices that lead back to the residual stream it holds
 * columns; norms are in every part.
 *
 * <p>Shares differ in size where numbers do not divide. Where there are fewer key/value heads than parts, several parts hold the
 * same one; where there are fewer heads, some parts compute a head that another one answers for.
 *
 * @param whole the model
 * @param index which part, from 0
 * @param count how many there are
 */
public record ModelPart(ModelConfig whole, int index, int count) {
    /** Columns of the feed-forward network that stay together: a block of a quantized matrix, or a group of it. */
    private static final int[] FFN_UNITS = {128, 32};

    /** Rows of the vocabulary that stay together: a panel of a quantized matrix. */
    private static final int[] VOCABULARY_UNITS = {16};

    /**
     * Some rows or columns.
     *
     * @param from the first
     * @param to behind the last
     */
    public record Range(int from, int to) {
        public int size() {
            return to - from;
        }

        public boolean contains(int i) {
            return i >= from && i < to;
        }

        Range times(int factor) {
            return new Range(from * factor, to * factor);
        }

        Range plus(int offset) {
            return new Range(from + offset, to + offset);
        }
    }

    /** @throws InvalidRequestException if the model is too small to be cut into so many parts */
    public ModelPart {
        if (count < 1 || index < 0 || index >= count) {
            throw new IllegalArgumentException("part %d of %d".formatted(index, count));
        }
        int most = Math.min(whole.ffn(), whole.vocabSize());
        if (count > most) {
            throw new InvalidRequestException(
                    "a model of this size can be cut into %d parts at most, not %d", most, count);
        }
    }

    /** The only part of a model in one piece. */
    public static ModelPart whole(ModelConfig config) {
        return new ModelPart(config, 0, 1);
    }

    public boolean isCut() {
        return count > 1;
    }

    /** The numbers that this part's layers compute with: its heads, and its columns of the feed-forward network. */
    public ModelConfig config() {
        HeadLayout local =
                new HeadLayout(heads().size(), kvHeads().size(), whole.heads().headDim());
        return whole.withWidths(local, ffn().size());
    }

    /** Whether its heads are no other part's. */
    public boolean ownsHeads() {
        return owned().size() > 0;
    }

    /** The heads that it computes. */
    Range heads() {
        Range owned = owned();
        if (owned.size() > 0) {
            return owned;
        }
        int last = kvHeads().to() * whole.heads().groupSize() - 1;
        int head = Math.min(owned.from(), last);
        return new Range(head, head + 1);
    }

    private Range owned() {
        int kv = whole.heads().kvHeads();
        int group = whole.heads().groupSize();
        if (kv >= count) {
            return kvHeads().times(group);
        }
        // Several parts share the query heads of one key/value head.
        int of = kvHeads().from();
        int first = ceilDiv((long) of * count, kv);
        int parts = ceilDiv((of + 1L) * count, kv) - first;
        long place = index - first;
        return new Range(ceilDiv(place * group, parts), ceilDiv((place + 1) * group, parts)).plus(of * group);
    }

    Range kvHeads() {
        int kv = whole.heads().kvHeads();
        if (kv >= count) {
            return share(kv, 1, index);
        }
        int of = (int) ((long) index * kv / count);
        return new Range(of, of + 1);
    }

    Range ffn() {
        return share(whole.ffn(), unit(whole.ffn(), FFN_UNITS), index);
    }

    /** The tokens whose rows of embedding and head it holds. */
    public Range vocabulary() {
        return vocabulary(index);
    }

    /** Those of another part. */
    public Range vocabulary(int part) {
        return share(whole.vocabSize(), unit(whole.vocabSize(), VOCABULARY_UNITS), part);
    }

    private int unit(int size, int... units) {
        for (int unit : units) {
            if (size >= (long) unit * count) {
                return unit;
            }
        }
        return 1;
    }

    private Range share(int size, int unit, int part) {
        long units = ceilDiv(size, unit);
        return new Range((int) Math.min(size, units * part / count * unit), (int)
                Math.min(size, units * (part + 1) / count * unit));
    }

    private static int ceilDiv(long a, int b) {
        return Math.toIntExact((a + b - 1) / b);
    }

    /** Of a weight of the whole model, the rows that this part holds, sharing its memory: all, where it holds columns. */
    public Weight rows(Weight weight) {
        List<Weight.Block> blocks = new ArrayList<>();
        for (Range range : rows(weight.id().part())) {
            blocks.addAll(weight.rows(range.from(), range.to()));
        }
        return blocks.isEmpty() ? weight : new Weight(weight.id(), blocks);
    }

    /** The rows that this part holds of a matrix of the whole model; empty where it holds all. */
    public List<Range> rows(WeightId.Part part) {
        if (!isCut()) {
            return List.of();
        }
        return switch (part) {
            case QKV -> {
                HeadLayout layout = whole.heads();
                Range keys = kvHeads().times(layout.headDim()).plus(layout.queryWidth());
                yield List.of(heads().times(layout.headDim()), keys, keys.plus(layout.kvWidth()));
            }
            case GATE_UP -> List.of(ffn(), ffn().plus(whole.ffn()));
            case EMBEDDING, HEAD -> List.of(vocabulary());
            case EMBEDDING_NORM, ATTN_NORM, QUERY_NORM, KEY_NORM, ATTN_OUT, FFN_NORM, DOWN, FINAL_NORM, NONE ->
                List.of();
        };
    }

    /** The columns that this part holds of a matrix of the whole model; empty where it holds all. */
    public Optional<Range> columns(WeightId.Part part) {
        if (!isCut()) {
            return Optional.empty();
        }
        return switch (part) {
            case ATTN_OUT -> Optional.of(heads().times(whole.heads().headDim()));
            case DOWN -> Optional.of(ffn());
            default -> Optional.empty();
        };
    }
}
