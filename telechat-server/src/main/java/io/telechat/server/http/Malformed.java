// SPDX-License-Identifier: Apache-2.0
package io.telechat.server.http;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import java.util.List;
import java.util.Optional;

/** Why a request is refused of which the codec has nothing to say (RFC 9112). */
record Malformed(int status, String what) {
    static Optional<Malformed> of(HttpRequest request, HttpLimits limits) {
        HttpVersion version = request.protocolVersion();
        if (!version.equals(HttpVersion.HTTP_1_1) && !version.equals(HttpVersion.HTTP_1_0)) {
            return refusal(505, "only HTTP/1.1 is spoken here");
        }
        if (request.headers().size() > limits.headerLines()) {
            return refusal(431, "the header has more than " + limits.headerLines() + " lines");
        }
        String target = request.uri();
        if (!target.startsWith("/") && !target.startsWith("http://") || !isPrintable(target)) {
            return refusal(400, "the request's target is none");
        }
        List<String> hosts = request.headers().getAll(HttpHeaderNames.HOST);
        if (hosts.size() > 1 || hosts.isEmpty() && version.equals(HttpVersion.HTTP_1_1)) {
            return refusal(400, "the request must have one Host");
        }
        List<String> codings = request.headers().getAll(HttpHeaderNames.TRANSFER_ENCODING);
        if (!codings.isEmpty()
                && !(codings.size() == 1 && HttpHeaderValues.CHUNKED.contentEqualsIgnoreCase(codings.getFirst()))) {
            return refusal(501, "the only transfer coding known here is chunked");
        }
        List<String> expectations = request.headers().getAll(HttpHeaderNames.EXPECT);
        if (!expectations.isEmpty() && !HttpUtil.is100ContinueExpected(request)) {
            return refusal(417, "the only expectation known here is 100-continue");
        }
        if (HttpUtil.getContentLength(request, 0L) > limits.bodyBytes()) {
            return refusal(413, "the body is larger than " + limits.bodyBytes() + " bytes");
        }
        return Optional.empty();
    }

    private static Optional<Malformed> refusal(int status, String what) {
        return Optional.of(new Malformed(status, what));
    }

    private static boolean isPrintable(String target) {
        return target.chars().allMatch(c -> c > ' ' && c < 0x7f);
    }

    /** Host and port of an absolute target. */
    static Optional<String> authority(String target) {
        if (!target.startsWith("http://")) {
            return Optional.empty();
        }
        int begin = "http://".length();
        int end = begin;
        while (end < target.length() && "/?#".indexOf(target.charAt(end)) < 0) {
            end++;
        }
        return Optional.of(target.substring(begin, end));
    }

    /** The target without its query, and without scheme and authority. */
    static String path(String target) {
        String path = target;
        if (path.startsWith("http://")) {
            int slash = path.indexOf('/', "http://".length());
            path = slash < 0 ? "/" : path.substring(slash);
        }
        int query = path.indexOf('?');
        return query < 0 ? path : path.substring(0, query);
    }
}
