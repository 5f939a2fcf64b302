// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.handler.timeout.IdleStateEvent;
import java.io.ByteArrayOutputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection: takes requests together, refuses what is malformed or too large, and has the others answered one after the other.
 * After a refusal nothing more is read as a request: what is left of the body is drained, so that the client gets to see the answer.
 * All methods run on the connection's event loop, unless they say otherwise.
 */
final class Connection extends SimpleChannelInboundHandler<HttpObject> {
    private static final Logger LOG = LoggerFactory.getLogger(Connection.class);
    private static final int DRAIN_SECONDS = 2;
    private static final Set<String> WITHOUT_BODY = Set.of("GET", "HEAD");

    private final HttpHandler handler;
    private final HttpLimits limits;
    private final HttpServer server;
    private final Deadlines deadlines;
    private final Queue<Incoming> waiting = new ArrayDeque<>();
    private ChannelHandlerContext context;
    private Incoming reading;
    private Exchange answering;
    private boolean awaitsContinue;
    private boolean refused;
    private Optional<HttpReply> refusal = Optional.empty();

    Connection(HttpHandler handler, HttpLimits limits, HttpServer server) {
        this.handler = handler;
        this.limits = limits;
        this.server = server;
        this.deadlines = new Deadlines(limits, this::expired);
    }

    Deadlines deadlines() {
        return deadlines;
    }

    /** A request that is being read, or has been. */
    private record Incoming(
            RequestHead head,
            boolean keepAlive,
            boolean http10,
            ByteArrayOutputStream body,
            Optional<HttpReply> refusal) {}

    @Override
    public void handlerAdded(ChannelHandlerContext added) {
        context = added;
        server.add(this);
    }

    /** For any thread: closes the connection as soon as nothing is being answered. */
    void closeWhenIdle() {
        context.executor().execute(() -> {
            if (answering == null && waiting.isEmpty()) {
                context.close();
            }
        });
    }

    private void expired(Deadlines.Phase phase) {
        if (phase == Deadlines.Phase.IDLE) {
            context.close();
        } else {
            refuse(408, "the request did not come in time");
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext inactive) {
        server.remove(this);
        if (answering != null) {
            answering.left();
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext changed) {
        if (answering != null) {
            answering.writabilityChanged();
        }
        if (changed.channel().isWritable()) {
            next();
        }
    }

    /** Nothing has been written for a while: either there was nothing to be written, or the client does not read. */
    @Override
    public void userEventTriggered(ChannelHandlerContext idle, Object event) {
        ChannelOutboundBuffer unread = idle.channel().unsafe().outboundBuffer();
        if (event instanceof IdleStateEvent && unread != null && unread.totalPendingWriteBytes() > 0) {
            idle.close();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext failed, Throwable failure) {
        LOG.debug("connection closed", failure);
        failed.close();
    }

    @Override
    protected void channelRead0(ChannelHandlerContext from, HttpObject part) {
        if (refused) {
            return;
        }
        if (part.decoderResult().isFailure()) {
            Throwable cause = part.decoderResult().cause();
            if (cause instanceof TooLongHttpLineException && part instanceof HttpRequest) {
                refuse(414, "the request line is longer than " + limits.targetBytes() + " bytes");
            } else if (cause instanceof TooLongHttpHeaderException && part instanceof HttpRequest) {
                refuse(431, "the header is larger than " + limits.headerBytes() + " bytes");
            } else {
                refuse(400, "the request is not proper HTTP/1.1");
            }
            return;
        }
        if (part instanceof HttpRequest request) {
            begin(request);
        }
        if (part instanceof HttpContent content && reading != null && !refused) {
            add(content);
        }
    }

    private void begin(HttpRequest request) {
        Optional<Malformed> wrong = Malformed.of(request, limits);
        if (wrong.isPresent()) {
            refuse(wrong.get().status(), wrong.get().what());
            return;
        }
        Map<String, List<String>> headers = new LinkedHashMap<>();
        request.headers()
                .forEach(entry -> headers.computeIfAbsent(
                                entry.getKey().toLowerCase(Locale.ROOT), name -> new ArrayList<>())
                        .add(entry.getValue()));
        // A target with an authority comes before the header (RFC 9112, section 3.2.2).
        Malformed.authority(request.uri()).ifPresent(authority -> headers.put("host", List.of(authority)));
        RequestHead head = new RequestHead(request.method().name(), Malformed.path(request.uri()), headers);
        Optional<HttpReply> refusal = handler.refuse(head);
        boolean expectsBody = HttpUtil.isTransferEncodingChunked(request) || HttpUtil.getContentLength(request, 0L) > 0;
        if (refusal.isPresent() && expectsBody && !WITHOUT_BODY.contains(head.method())) {
            refuse(refusal.get());
            return;
        }
        boolean http10 = request.protocolVersion().equals(HttpVersion.HTTP_1_0);
        reading = new Incoming(head, HttpUtil.isKeepAlive(request), http10, new ByteArrayOutputStream(), refusal);
        deadlines.begin(Deadlines.Phase.BODY);
        awaitsContinue = HttpUtil.is100ContinueExpected(request);
        next();
    }

    private void add(HttpContent content) {
        ByteBuf bytes = content.content();
        if (reading.body().size() + (long) bytes.readableBytes() > limits.bodyBytes()) {
            refuse(413, "the body is larger than " + limits.bodyBytes() + " bytes");
            return;
        }
        byte[] copy = new byte[bytes.readableBytes()];
        bytes.readBytes(copy);
        reading.body().writeBytes(copy);
        if (content instanceof LastHttpContent) {
            waiting.add(reading);
            reading = null;
            deadlines.begin(Deadlines.Phase.ANSWER);
            next();
        }
    }

    private void next() {
        if (answering != null || !context.channel().isWritable()) {
            return; // until what has been answered is read
        }
        Incoming request = waiting.poll();
        if (request == null) {
            if (reading != null && awaitsContinue) {
                awaitsContinue = false; // only now: it must not come into an answer that is under way
                context.writeAndFlush(new DefaultFullHttpResponse(
                        HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE, Unpooled.EMPTY_BUFFER));
            } else if (refusal.isPresent()) {
                replyAndClose(refusal.get());
            } else if (server.isDraining()) {
                context.close();
            } else if (reading == null && deadlines.phase() == Deadlines.Phase.ANSWER) {
                deadlines.begin(Deadlines.Phase.IDLE);
            }
            return;
        }
        Exchange exchange = new Exchange(
                context, request.head(), request.body().toByteArray(), request.keepAlive(), request.http10(), limits);
        answering = exchange;
        if (request.refusal().isPresent()) {
            exchange.reply(request.refusal().get());
            answered(exchange);
            return;
        }
        Thread.ofVirtual().name("http-" + request.head().target()).start(() -> {
            try {
                handler.handle(exchange);
            } catch (ClientGoneException e) {
                LOG.debug("{}", e.getMessage());
            } catch (RuntimeException | Error e) {
                LOG.error(
                        "{} {} failed", request.head().method(), request.head().target(), e);
                exchange.failed(handler.malformed(500, "something went wrong in the server"));
            } finally {
                context.executor().execute(() -> answered(exchange));
            }
        });
    }

    private void answered(Exchange exchange) {
        answering = null;
        if (!exchange.keepsConnection() || server.isDraining() && waiting.isEmpty()) {
            context.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
        } else {
            next();
        }
    }

    private void refuse(int status, String what) {
        refuse(handler.malformed(status, what));
    }

    /** What comes from now on is no request any more; those before are answered first. */
    private void refuse(HttpReply reply) {
        refused = true;
        reading = null;
        refusal = Optional.of(reply);
        deadlines.begin(Deadlines.Phase.ANSWER);
        next();
    }

    private void replyAndClose(HttpReply reply) {
        DefaultFullHttpResponse response = Exchange.refusal(reply);
        response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        context.writeAndFlush(response).addListener(written -> {
            ((SocketChannel) context.channel()).shutdownOutput();
            context.executor().schedule(() -> context.close(), DRAIN_SECONDS, TimeUnit.SECONDS);
        });
    }
}
