// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What comes over the wire, byte by byte. */
class HttpServerTest {
    private static final HttpLimits LIMITS = new HttpLimits(
            1000,
            4000,
            20,
            5000,
            Duration.ofMillis(700),
            Duration.ofMillis(900),
            Duration.ofSeconds(30),
            Duration.ofMillis(800),
            40);

    private static final CountDownLatch LEFT = new CountDownLatch(1);
    private static final CountDownLatch CUT = new CountDownLatch(1);
    private static HttpServer server;

    private static final int LARGE = 4 << 20;

    /** Echoes bodies, after a while at /later; waits for ever at /wait, and writes for ever at /flood, and much at /large. */
    private static final class Echo implements HttpHandler {
        @Override
        public Optional<HttpReply> refuse(RequestHead head) {
            return head.target().equals("/refused")
                    ? Optional.of(HttpReply.of(401, "text/plain", "no"))
                    : Optional.empty();
        }

        @Override
        public void handle(HttpExchange exchange) {
            switch (exchange.head().target()) {
                case "/wait" -> {
                    CountDownLatch left = new CountDownLatch(1);
                    exchange.onLeave(left::countDown);
                    try {
                        left.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                    LEFT.countDown();
                }
                case "/flood" -> {
                    HttpExchange.Stream stream = exchange.stream(HttpReply.of(200, "text/plain", ""));
                    try {
                        while (true) {
                            stream.write("x".repeat(10_000));
                        }
                    } catch (ClientGoneException e) {
                        CUT.countDown();
                        throw e;
                    }
                }
                case "/large" -> exchange.reply(HttpReply.of(200, "text/plain", "x".repeat(LARGE)));
                case "/later" -> {
                    try {
                        Thread.sleep(300);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                    exchange.reply(HttpReply.of(200, "text/plain", "later"));
                }
                default -> exchange.reply(HttpReply.of(200, "text/plain", "got " + exchange.body().length));
            }
        }

        @Override
        public HttpReply malformed(int status, String what) {
            return HttpReply.of(status, "text/plain", what);
        }
    }

    @BeforeAll
    static void start() {
        server = new HttpServer(new InetSocketAddress("127.0.0.1", 0), new Echo(), LIMITS);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static Socket connect() throws IOException {
        Socket socket = new Socket("127.0.0.1", server.port());
        socket.setSoTimeout(5000);
        return socket;
    }

    private static String escaped(String text) {
        return text.replace("\\r", "\r")
                .replace("\\n", "\n")
                .replace("\\0", "\0")
                .replace("\\t", "\t");
    }

    /** Sends bytes and reads up to the end of the connection. */
    private static String talk(String request) throws IOException {
        try (Socket socket = connect()) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        }
    }

    private static List<Integer> statuses(String answer) {
        List<Integer> statuses = new ArrayList<>();
        Matcher matcher = Pattern.compile("HTTP/1\\.[01] (\\d{3})").matcher(answer);
        while (matcher.find()) {
            statuses.add(Integer.parseInt(matcher.group(1)));
        }
        return statuses;
    }

    /** After a refusal, what follows is never read as a request. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "length and chunks | POST / HTTP/1.1\\r"
                        + "\\n"
                        + "Host: a\\r"
                        + "\\n"
                        + "Content-Length: 3\\r"
                        + "\\n"
                        + "Transfer-Encoding: chunked | 400",
                "two lengths | POST / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 3\\r\\nContent-Length: 4 | 400",
                "a negative length | POST / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: -3 | 400",
                "a length with a sign | POST / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: +3 | 400",
                "another coding | POST / HTTP/1.1\\r\\nHost: a\\r\\nTransfer-Encoding: gzip, chunked | 501",
                "a blank before the colon | POST / HTTP/1.1\\r\\nHost : a\\r\\nContent-Length: 3 | 400",
                "no Host | GET / HTTP/1.1\\r\\nX: y | 400",
                "two Hosts | GET / HTTP/1.1\\r\\nHost: a\\r\\nHost: b | 400",
                "a NUL | GET / HTTP/1.1\\r\\nHost: a\\r\\nX: \\0 | 400",
                "another version | GET / HTTP/3.7\\r\\nHost: a | 505",
                "another protocol | PRI * HTTP/2.0\\r\\nHost: a | 505",
                "another expectation | POST / HTTP/1.1\\r\\nHost: a\\r\\nExpect: gold\\r\\nContent-Length: 3 | 417",
                "too much announced | POST / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 5001 | 413",
                "a refused request | POST /refused HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 3 | 401"
            })
    void isRefused(String what, String header, int status) throws IOException {
        String smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
        assertEquals(List.of(status), statuses(talk(escaped(header) + "\r\n\r\nabc" + smuggled)), what);
    }

    @Test
    void limitsHaveTheirStatus() throws IOException {
        assertEquals(List.of(414), statuses(talk("GET /" + "a".repeat(1100) + " HTTP/1.1\r\nHost: a\r\n\r\n")));
        assertEquals(List.of(431), statuses(talk("GET / HTTP/1.1\r\nHost: a\r\nX: " + "a".repeat(5000) + "\r\n\r\n")));
        assertEquals(List.of(431), statuses(talk("GET / HTTP/1.1\r\nHost: a\r\n" + "X: y\r\n".repeat(30) + "\r\n")));
        String chunks = "3e8\r\n" + "a".repeat(1000) + "\r\n";
        assertEquals(
                List.of(413),
                statuses(talk("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks.repeat(8))));
    }

    @Test
    void requestsSentTogetherAreAnsweredInOrder() throws IOException {
        String answer = talk("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
                + "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n"
                + "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        assertEquals(List.of(200, 200, 200), statuses(answer));
        assertTrue(answer.indexOf("got 3") < answer.indexOf("got 5") && answer.endsWith("got 0"), answer);
    }

    @Test
    void whatIsRefusedComesBehindWhatWasAskedBefore() throws IOException {
        String answer =
                talk("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/9.9\r\nHost: a\r\n\r\n");
        assertEquals(List.of(200, 505), statuses(answer));
    }

    @Test
    void upgradesAreIgnoredAndExpectationsMet() throws IOException {
        String answer =
                talk("POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\n"
                        + "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\nExpect: 100-continue\r\n"
                        + "Content-Length: 3\r\n\r\nabc");
        assertEquals(List.of(100, 200), statuses(answer));
    }

    @Test
    void anExpectationIsNotMetWithinAnotherAnswer() throws IOException {
        try (Socket socket = connect()) {
            socket.getOutputStream()
                    .write(("GET /later HTTP/1.1\r\nHost: a\r\n\r\n"
                                    + "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\n"
                                    + "Content-Length: 3\r\n\r\n")
                            .getBytes(StandardCharsets.ISO_8859_1));
            StringBuilder answer = new StringBuilder();
            while (!answer.toString().contains("HTTP/1.1 100")) {
                int next = socket.getInputStream().read();
                assertTrue(next >= 0, answer::toString);
                answer.append((char) next);
            }
            socket.getOutputStream().write("abc".getBytes(StandardCharsets.ISO_8859_1));
            answer.append(new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1));
            assertEquals(List.of(200, 100, 200), statuses(answer.toString()));
        }
    }

    @Test
    void everyAnswerHasAnIdOfItsOwn() throws IOException {
        String answer = talk("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/9.9\r\nHost: a\r\n\r\n");
        Matcher matcher = Pattern.compile("(?i)\r\nX-Request-Id: (\\w+)\r\n").matcher(answer);
        assertTrue(matcher.find(), answer);
        String first = matcher.group(1);
        assertTrue(matcher.find(), answer);
        assertNotEquals(first, matcher.group(1));
    }

    @Test
    void anOldClientGetsItsAnswerAndTheEnd() throws IOException {
        assertTrue(talk("GET / HTTP/1.0\r\n\r\n").endsWith("got 0"));
    }

    @Test
    void slowHeadersAndBodiesAreCutEvenIfSomethingComesNowAndThen() throws Exception {
        for (String begin :
                List.of("GET / HTTP/1.1\r\nHost: a\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n")) {
            try (Socket socket = connect()) {
                socket.getOutputStream().write(begin.getBytes(StandardCharsets.ISO_8859_1));
                Thread dripping = Thread.startVirtualThread(() -> {
                    try {
                        for (int i = 0; i < 100; i++) {
                            Thread.sleep(50);
                            socket.getOutputStream().write("X: y\r\n".getBytes(StandardCharsets.ISO_8859_1));
                        }
                    } catch (IOException | InterruptedException e) {
                        // It has been cut.
                    }
                });
                InputStream in = socket.getInputStream();
                String answer = new String(in.readNBytes(12), StandardCharsets.ISO_8859_1);
                assertEquals(List.of(408), statuses(answer));
                dripping.interrupt();
            }
        }
    }

    @Test
    void aHandlerIsToldWhenItsClientLeaves() throws Exception {
        try (Socket socket = connect()) {
            socket.getOutputStream()
                    .write("POST /wait HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
                            .getBytes(StandardCharsets.ISO_8859_1));
            Thread.sleep(100);
            assertEquals(1, LEFT.getCount());
        }
        assertTrue(LEFT.await(5, TimeUnit.SECONDS));
    }

    @Test
    void aReaderThatStandsStillIsCut() throws Exception {
        try (Socket socket = connect()) {
            socket.getOutputStream()
                    .write("GET /flood HTTP/1.1\r\nHost: a\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
            assertTrue(CUT.await(20, TimeUnit.SECONDS));
        }
    }

    /** Whether or not the connection was to be kept. */
    @ParameterizedTest
    @ValueSource(strings = {"close", "keep-alive"})
    void aLargeAnswerThatNobodyReadsIsCut(String connection) throws Exception {
        try (Socket socket = connect()) {
            socket.getOutputStream()
                    .write(("GET /large HTTP/1.1\r\nHost: a\r\nConnection: " + connection + "\r\n\r\n")
                            .getBytes(StandardCharsets.ISO_8859_1));
            Thread.sleep(3 * LIMITS.stalled().toMillis());
            int read = 0;
            try {
                read = socket.getInputStream().readAllBytes().length;
            } catch (SocketException e) {
                // Reset: cut as well.
            }
            assertTrue(read < LARGE, () -> "all of it came");
        }
    }

    @Test
    void tooManyConnectionsAreClosedAndTheirPlacesFreedAgain() throws Exception {
        List<Socket> all = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            all.add(connect());
        }
        int refused = 0;
        for (Socket socket : all.subList(45, 60)) {
            refused += socket.getInputStream().read() < 0 ? 1 : 0;
        }
        assertEquals(15, refused);
        for (Socket socket : all) {
            socket.close();
        }
        Thread.sleep(300);
        assertEquals(List.of(200), statuses(talk("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")));
    }
}
