// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.http;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.timeout.IdleStateHandler;
import io.telechat.core.InvalidRequestException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Listens on a port, and has each request answered by a handler. */
public final class HttpServer implements AutoCloseable {
    /** What is written and not read may be this much before the writer waits. */
    private static final WriteBufferWaterMark UNREAD = new WriteBufferWaterMark(32 << 10, 64 << 10);

    private static final int KERNEL_BUFFER = 64 << 10;
    /** Unanswered requests on one connection. */
    private static final int PIPELINED = 8;

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
    private final AtomicInteger open = new AtomicInteger();
    private final HttpHandler handler;
    private final HttpLimits limits;
    private final Channel channel;
    private volatile boolean draining;

    /**
     * @param address with port 0 for any that is free
     * @throws InvalidRequestException if it cannot listen there
     */
    public HttpServer(InetSocketAddress address, HttpHandler handler, HttpLimits limits) {
        this.handler = handler;
        this.limits = limits;
        ChannelFuture bound = new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, 1024)
                .option(ChannelOption.SO_REUSEADDR, true)
                // A half-closed connection cannot be told from one that is closed: both mean that the client has left.
                .childOption(ChannelOption.ALLOW_HALF_CLOSURE, false)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.SO_SNDBUF, KERNEL_BUFFER)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, UNREAD)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel connection) {
                        accept(connection);
                    }
                })
                .bind(address)
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            group.shutdownGracefully(0, 0, TimeUnit.SECONDS);
            throw new InvalidRequestException(
                    "cannot listen on %s:%d: %s; --port 0 takes any free port",
                    address.getHostString(), address.getPort(), bound.cause().getMessage());
        }
        this.channel = bound.channel();
    }

    private void accept(SocketChannel connection) {
        if (open.incrementAndGet() > limits.connections()) {
            open.decrementAndGet();
            connection.close();
            return;
        }
        connection.closeFuture().addListener(closed -> open.decrementAndGet());
        Connection ours = new Connection(handler, limits, this);
        HttpDecoderConfig strict = new HttpDecoderConfig()
                .setMaxInitialLineLength(limits.targetBytes())
                .setMaxHeaderSize(limits.headerBytes())
                .setMaxChunkSize(64 << 10)
                .setStrictLineParsing(true)
                .setUseRfc9112TransferEncoding(true);
        IdleStateHandler reading =
                new IdleStateHandler(true, 0, limits.stalled().toMillis(), 0, TimeUnit.MILLISECONDS);
        connection.pipeline().addLast(reading, ours.deadlines(), new HttpServerCodec(strict, PIPELINED), ours);
    }

    void add(Connection connection) {
        connections.add(connection);
    }

    void remove(Connection connection) {
        connections.remove(connection);
    }

    boolean isDraining() {
        return draining;
    }

    public int port() {
        return ((InetSocketAddress) channel.localAddress()).getPort();
    }

    /** Takes no more connections, closes idle ones, and the others when they have been answered; waits for that. */
    public void drain(Duration patience) {
        draining = true;
        channel.close().awaitUninterruptibly();
        long deadline = System.nanoTime() + patience.toNanos();
        while (!connections.isEmpty() && System.nanoTime() < deadline) {
            connections.forEach(Connection::closeWhenIdle);
            try {
                Thread.sleep(20);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    @Override
    public void close() {
        channel.close();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
    }
}
