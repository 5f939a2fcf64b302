// SPDX-License-Identifier: Apache-2.0
package io.telechat.cuda.driver;

/**
 * Work in the order of a stream that is no kernel of ours: of the driver, or of a library. What it does is a function of its
 * arguments, addresses and sizes, so that it may be held back, compared and recorded as launches are.
 */
public final class StreamCall {
    private final String name;
    private final int parameters;
    private final Body body;

    /** Hands the work to the driver. */
    @FunctionalInterface
    public interface Body {
        void start(long stream, long... arguments);
    }

    /** @param parameters how many arguments it takes */
    public StreamCall(String name, int parameters, Body body) {
        this.name = name;
        this.parameters = parameters;
        this.body = body;
    }

    String name() {
        return name;
    }

    int parameters() {
        return parameters;
    }

    void start(long stream, long... arguments) {
        body.start(stream, arguments);
    }
}
