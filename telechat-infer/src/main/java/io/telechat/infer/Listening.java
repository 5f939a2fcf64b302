// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer;

import io.telechat.infer.engine.Engine;
import io.telechat.infer.engine.EngineListener;
import io.telechat.infer.engine.Request;
import io.telechat.infer.generation.Cancellation;
import io.telechat.infer.generation.FinishReason;
import io.telechat.infer.generation.Generation;
import io.telechat.infer.generation.TokenEvent;
import io.telechat.infer.generation.TokenListener;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Collectors;

/** Waits for one generation of an engine, and tells a listener of its tokens on the thread that waits. */
final class Listening implements EngineListener {
    private final TokenListener listener;
    private final Cancellation cancellation;
    private final BlockingQueue<Runnable> events = new LinkedBlockingQueue<>();
    private final List<TokenEvent> heard = new ArrayList<>();
    private Generation result;
    private RuntimeException failure;

    private Listening(TokenListener listener, Cancellation cancellation) {
        this.listener = listener;
        this.cancellation = cancellation;
    }

    static Generation generate(Engine engine, Request request, TokenListener listener, Cancellation cancellation) {
        Listening listening = new Listening(listener, cancellation);
        Engine.Ticket ticket = engine.submit(List.of(request), listening);
        cancellation.onCancel(ticket::cancel);
        return listening.await(ticket);
    }

    private Generation await(Engine.Ticket ticket) {
        boolean interrupted = false;
        try {
            while (result == null && failure == null) {
                try {
                    events.take().run();
                } catch (InterruptedException e) {
                    interrupted = true;
                    ticket.cancel();
                    cancellation.cancel();
                } catch (RuntimeException | Error e) {
                    ticket.cancel(); // the listener's own
                    throw e;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        if (failure != null) {
            throw failure;
        }
        return heard();
    }

    /**
     * What the listener has heard of: after a cancellation, the engine may have come further, or have let go of part of a character.
     */
    private Generation heard() {
        int tokens = (int) heard.stream().filter(event -> !event.isRest()).count();
        boolean all = tokens == result.tokens().size();
        if (all && !cancellation.isCancelled()) {
            return result;
        }
        String text = heard.stream().map(TokenEvent::text).collect(Collectors.joining());
        String thinking = heard.stream().map(TokenEvent::thinking).collect(Collectors.joining());
        return result.cutTo(tokens, text, thinking, all ? result.finishReason() : FinishReason.CANCELLED);
    }

    @Override
    public void token(int index, TokenEvent event) {
        events.add(() -> {
            if (!cancellation.isCancelled()) {
                heard.add(event);
                listener.onToken(event);
            }
        });
    }

    @Override
    public void finished(int index, Generation generation) {
        events.add(() -> result = generation);
    }

    @Override
    public void failed(int index, RuntimeException e) {
        events.add(() -> failure = e);
    }
}
