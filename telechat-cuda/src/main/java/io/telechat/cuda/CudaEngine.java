// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda;

import io.telechat.core.ops.Batch;
import io.telechat.cuda.driver.CublasLt;
import io.telechat.cuda.driver.Stream;
import java.util.Optional;

/** What the formulas of one GPU share: its stream, its kernels, the memory for small arrays, and the tables of the batch at hand. */
final class CudaEngine implements AutoCloseable {
    private final Stream stream;
    private final Kernels kernels;
    private final Uploads uploads;
    private final Products products;
    private final Attention attention;
    private BatchTables tables;

    /** @param library for large products, if it is to be used */
    CudaEngine(Stream stream, Kernels kernels, Optional<CublasLt> library) {
        this.stream = stream;
        this.kernels = kernels;
        this.uploads = new Uploads(stream);
        this.products = new Products(stream, kernels, library);
        this.attention = new Attention(stream, kernels);
    }

    Stream stream() {
        return stream;
    }

    Kernels kernels() {
        return kernels;
    }

    Uploads uploads() {
        return uploads;
    }

    Products products() {
        return products;
    }

    Attention attention() {
        return attention;
    }

    /** A pass over a batch begins. One of a few tokens is held back, to be started as a whole. */
    void begin(Batch batch) {
        stream.flush();
        uploads.begin();
        tables = new BatchTables(batch, uploads);
        boolean decodes = batch.size() <= Products.FEW && batch.spans().stream().allMatch(Batch.Span::isCached);
        if (decodes) {
            stream.hold();
        }
    }

    /** The tables of a batch, also where nobody has begun a pass. */
    BatchTables tables(Batch batch) {
        if (tables == null || !tables.areOf(batch)) {
            tables = new BatchTables(batch, uploads);
        }
        return tables;
    }

    /** int[tokens] on the GPU. */
    long ids(int[] tokens) {
        return tables != null && tables.hasTokens(tokens) ? tables.tokens() : uploads.put(tokens);
    }

    @Override
    public void close() {
        stream.synchronize();
        products.close();
        attention.close();
        uploads.close();
    }
}
