// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.http;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** A request that is being answered, by its own virtual thread. */
final class Exchange implements HttpExchange {
    private final ChannelHandlerContext context;
    private final RequestHead head;
    private final byte[] body;
    private final boolean keepAlive;
    private final boolean http10;
    private final HttpLimits limits;
    private final String id = newId();

    /** What follows is guarded by this object's monitor. */
    private final List<Runnable> onLeave = new ArrayList<>();

    private boolean gone;
    private boolean begun;
    private boolean ended;

    Exchange(
            ChannelHandlerContext context,
            RequestHead head,
            byte[] body,
            boolean keepAlive,
            boolean http10,
            HttpLimits limits) {
        this.context = context;
        this.head = head;
        this.body = body;
        this.keepAlive = keepAlive;
        this.http10 = http10;
        this.limits = limits;
    }

    @Override
    public RequestHead head() {
        return head;
    }

    @Override
    public String id() {
        return id;
    }

    private static String newId() {
        return UUID.randomUUID().toString().replace("-", "");
    }

    @Override
    public byte[] body() {
        return body;
    }

    @Override
    public void onLeave(Runnable action) {
        boolean now;
        synchronized (this) {
            onLeave.add(action);
            now = gone;
        }
        if (now) {
            action.run();
        }
    }

    /** On the event loop: the connection is gone. */
    void left() {
        List<Runnable> actions;
        synchronized (this) {
            gone = true;
            actions = List.copyOf(onLeave);
            notifyAll();
        }
        if (!actions.isEmpty()) {
            Thread.ofVirtual().start(() -> actions.forEach(Runnable::run));
        }
    }

    synchronized void writabilityChanged() {
        notifyAll();
    }

    /** Whether another request may follow on the connection. */
    synchronized boolean keepsConnection() {
        return keepAlive && ended && !gone;
    }

    @Override
    public void reply(HttpReply reply) {
        synchronized (this) {
            if (begun) {
                abort(); // an answer is under way, into which nothing else can be put
                return;
            }
            begun = true;
            ended = true;
        }
        DefaultFullHttpResponse response = response(reply, version(), id);
        HttpUtil.setKeepAlive(response, keepAlive);
        context.writeAndFlush(response);
    }

    @Override
    public void abort() {
        context.close();
    }

    /** After a failure: the answer, if none has begun; otherwise the connection's end tells of it. */
    void failed(HttpReply reply) {
        boolean answer;
        synchronized (this) {
            answer = !begun;
        }
        if (answer) {
            reply(reply);
        }
    }

    private HttpVersion version() {
        return http10 ? HttpVersion.HTTP_1_0 : HttpVersion.HTTP_1_1;
    }

    /** An answer to what could not be read as a request. */
    static DefaultFullHttpResponse refusal(HttpReply reply) {
        return response(reply, HttpVersion.HTTP_1_1, newId());
    }

    private static DefaultFullHttpResponse response(HttpReply reply, HttpVersion version, String id) {
        DefaultFullHttpResponse response = new DefaultFullHttpResponse(
                version, HttpResponseStatus.valueOf(reply.status()), Unpooled.wrappedBuffer(reply.body()));
        setHeaders(response, reply, id);
        response.headers().set(HttpHeaderNames.CONTENT_LENGTH, reply.body().length);
        return response;
    }

    private static void setHeaders(HttpMessage response, HttpReply reply, String id) {
        response.headers().set(HttpHeaderNames.CONTENT_TYPE, reply.contentType());
        response.headers().set("X-Request-Id", id);
        reply.headers().forEach((name, value) -> response.headers().set(name, value));
    }

    @Override
    public Stream stream(HttpReply reply) {
        synchronized (this) {
            begun = true;
        }
        DefaultHttpResponse response = new DefaultHttpResponse(version(), HttpResponseStatus.valueOf(reply.status()));
        setHeaders(response, reply, id);
        HttpUtil.setTransferEncodingChunked(response, !http10); // a client of 1.0 reads up to the end of the connection
        HttpUtil.setKeepAlive(response, keepAlive && !http10);
        context.writeAndFlush(response);
        return new Pieces();
    }

    private final class Pieces implements Stream {
        @Override
        public void write(String text) {
            awaitReader();
            context.writeAndFlush(
                    new DefaultHttpContent(Unpooled.wrappedBuffer(text.getBytes(StandardCharsets.UTF_8))));
        }

        @Override
        public void end() {
            awaitReader();
            synchronized (Exchange.this) {
                ended = !http10;
            }
            context.writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT);
        }

        private void awaitReader() {
            long deadline = System.nanoTime() + limits.stalled().toNanos();
            synchronized (Exchange.this) {
                while (!gone && !context.channel().isWritable()) {
                    long left = (deadline - System.nanoTime()) / 1_000_000;
                    if (left <= 0) {
                        context.close();
                        throw new ClientGoneException("a client did not read for " + limits.stalled());
                    }
                    try {
                        Exchange.this.wait(left);
                    } catch (InterruptedException e) {
                        throw new ClientGoneException("interrupted");
                    }
                }
                if (gone) {
                    throw new ClientGoneException("a client left");
                }
            }
        }
    }
}
