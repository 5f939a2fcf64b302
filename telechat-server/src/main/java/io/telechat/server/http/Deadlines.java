// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.http;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Stands in front of the codec, where bytes come in, and ends what takes too long: a header line now and then, or a byte of a body,
 * does not move the deadline.
 */
final class Deadlines extends ChannelInboundHandlerAdapter {
    /** What the connection is waiting for. */
    enum Phase {
        /** The first byte of a request. */
        IDLE,
        HEADER,
        BODY,
        /** The answer: no deadline. */
        ANSWER
    }

    private final HttpLimits limits;
    private final Consumer<Phase> expired;
    private ChannelHandlerContext context;
    private ScheduledFuture<?> deadline;
    private Phase phase = Phase.ANSWER;

    Deadlines(HttpLimits limits, Consumer<Phase> expired) {
        this.limits = limits;
        this.expired = expired;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext added) {
        context = added;
    }

    @Override
    public void channelActive(ChannelHandlerContext active) {
        begin(Phase.IDLE);
        active.fireChannelActive();
    }

    @Override
    public void channelRead(ChannelHandlerContext reading, Object bytes) {
        if (phase == Phase.IDLE) {
            begin(Phase.HEADER);
        }
        reading.fireChannelRead(bytes);
    }

    @Override
    public void channelInactive(ChannelHandlerContext inactive) {
        cancel();
        inactive.fireChannelInactive();
    }

    void begin(Phase next) {
        cancel();
        phase = next;
        Duration time = switch (next) {
            case IDLE -> limits.idle();
            case HEADER -> limits.header();
            case BODY -> limits.body();
            case ANSWER -> Duration.ZERO;
        };
        if (!time.isZero()) {
            deadline = context.executor().schedule(() -> expired.accept(next), time.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    Phase phase() {
        return phase;
    }

    private void cancel() {
        if (deadline != null) {
            deadline.cancel(false);
            deadline = null;
        }
    }
}
