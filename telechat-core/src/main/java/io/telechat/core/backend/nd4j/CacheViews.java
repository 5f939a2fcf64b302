// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.backend.nd4j;

import static io.telechat.core.backend.nd4j.ArrayView.array;
import static org.nd4j.linalg.indexing.NDArrayIndex.all;
import static org.nd4j.linalg.indexing.NDArrayIndex.interval;
import static org.nd4j.linalg.indexing.NDArrayIndex.point;

import io.telechat.core.ops.Batch;
import io.telechat.core.ops.HeadLayout;
import io.telechat.core.ops.KvCache;
import io.telechat.core.ops.KvLayout;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A cache's keys and values as ND4J arrays. */
final class CacheViews {
    private CacheViews() {}

    /** Keys of a head in one block, a view [headDim, BLOCK]. */
    static INDArray keys(KvCache cache, int block, int layer, int kvHead) {
        return head(cache, block, layer, 0, kvHead)
                .reshape('c', cache.layout().heads().headDim(), KvLayout.BLOCK);
    }

    /** Values of a head in one block, a view [BLOCK, headDim]. */
    static INDArray values(KvCache cache, int block, int layer, int kvHead) {
        return head(cache, block, layer, 1, kvHead)
                .reshape('c', KvLayout.BLOCK, cache.layout().heads().headDim());
    }

    private static INDArray head(KvCache cache, int block, int layer, int part, int kvHead) {
        return array(cache.block(block)).get(point(layer), point(part), point(kvHead), all());
    }

    /** Puts the new tokens' keys and values of a head behind those in the cache. */
    static void store(INDArray qkv, HeadLayout heads, Batch.Span span, int layer, int kvHead) {
        int dim = heads.headDim();
        long key = heads.queryWidth() + (long) kvHead * dim;
        // Copies, because ND4J goes wrong where a range is taken of a range.
        INDArray newKeys = qkv.get(all(), interval(key, key + dim)).dup('c');
        INDArray newValues = qkv.get(all(), interval(key + heads.kvWidth(), key + heads.kvWidth() + dim))
                .dup('c');
        for (int t = 0; t < span.count(); ) {
            int position = span.cache().length() + t;
            int slot = position % KvLayout.BLOCK;
            int count = Math.min(span.count() - t, KvLayout.BLOCK - slot);
            int block = position / KvLayout.BLOCK;
            assign(
                    keys(span.cache(), block, layer, kvHead).get(all(), interval(slot, slot + count)),
                    floats(newKeys.get(interval(t, t + count), all()), count, dim)
                            .transpose());
            assign(
                    values(span.cache(), block, layer, kvHead).get(interval(slot, slot + count), all()),
                    newValues.get(interval(t, t + count), all()));
            t += count;
        }
    }

    /** A copy as floats; a view of one row or column, from which ND4J takes a dimension, gets it back. */
    static INDArray floats(INDArray view, int rows, int columns) {
        return view.dup('c').castTo(DataType.FLOAT).reshape('c', rows, columns);
    }

    /** Assigns across types. */
    static void assign(INDArray target, INDArray source) {
        target.assign(source.dup('c').castTo(target.dataType()).reshape(target.shape()));
    }

    /** All keys of a head, the new tokens' included: [headDim, positions]. */
    static INDArray allKeys(Batch.Span span, int layer, int kvHead) {
        INDArray[] parts = new INDArray[blocks(span)];
        for (int i = 0; i < parts.length; i++) {
            parts[i] = keys(span.cache(), i, layer, kvHead).castTo(DataType.FLOAT);
        }
        return Nd4j.concat(1, parts).get(all(), interval(0, positions(span))).dup('c');
    }

    /** All values of a head: [positions, headDim]. */
    static INDArray allValues(Batch.Span span, int layer, int kvHead) {
        INDArray[] parts = new INDArray[blocks(span)];
        for (int i = 0; i < parts.length; i++) {
            parts[i] = values(span.cache(), i, layer, kvHead).castTo(DataType.FLOAT);
        }
        return Nd4j.concat(0, parts).get(interval(0, positions(span)), all()).dup('c');
    }

    private static int positions(Batch.Span span) {
        return span.cache().length() + span.count();
    }

    private static int blocks(Batch.Span span) {
        return KvLayout.blocks(positions(span));
    }
}
