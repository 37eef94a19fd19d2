using System.Text;

namespace Lorikeet.Training;

/// <summary>UTF-8 as it must be: nothing is replaced silently.</summary>
internal static class Utf8Text
{
    /// <summary>Throws <see cref="DecoderFallbackException"/> on bytes that are not UTF-8.</summary>
    public static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
}
