// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.model;

/**
 * The right to use weights until it is closed. Free for weights that are resident; with sharded parameters, opening gathers
 * them and closing lets them go.
 *
 * @param <T> what is leased
 */
public interface Lease<T> extends AutoCloseable {
    T weights();

    @Override
    void close();

    /** Of weights that stay where they are. */
    static <T> Lease<T> resident(T weights) {
        return of(weights, () -> {});
    }

    /** @param release lets the weights go */
    static <T> Lease<T> of(T weights, Runnable release) {
        return new Lease<>() {
            @Override
            public T weights() {
                return weights;
            }

            @Override
            public void close() {
                release.run();
            }
        };
    }
}
