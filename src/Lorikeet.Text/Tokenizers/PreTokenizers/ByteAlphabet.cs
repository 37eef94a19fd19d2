using System.Text;

namespace Lorikeet.Text;

/// <summary>
/// The 256 printable characters by which byte-level vocabularies spell bytes: a byte that Latin-1 prints is itself, the others
/// follow from U+0100 on (a blank is <c>Ġ</c>, a line feed <c>Ċ</c>).
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] Characters = MakeCharacters();
    private static readonly short[] Bytes = MakeBytes();

    /// <summary>The character of a byte.</summary>
    public static char CharacterOf(byte value) => Characters[value];

    /// <summary>The byte of a character, or -1.</summary>
    public static int ByteOf(char character) => character < Bytes.Length ? Bytes[character] : -1;

    /// <summary>The bytes that a token spells: of the alphabet if all its characters belong to it, otherwise its UTF-8.</summary>
    public static byte[] BytesOf(string token)
    {
        byte[] bytes = new byte[token.Length];
        for (int i = 0; i < token.Length; i++)
        {
            int value = ByteOf(token[i]);
            if (value < 0)
                return Encoding.UTF8.GetBytes(token);
            bytes[i] = (byte)value;
        }
        return bytes;
    }

    private static char[] MakeCharacters()
    {
        char[] characters = new char[256];
        char next = '\u0100';
        for (int value = 0; value < 256; value++)
        {
            bool prints = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or >= 0xAE;
            characters[value] = prints ? (char)value : next++;
        }
        return characters;
    }

    private static short[] MakeBytes()
    {
        short[] bytes = new short[0x144];
        Array.Fill(bytes, (short)-1);
        for (int value = 0; value < 256; value++)
            bytes[Characters[value]] = (short)value;
        return bytes;
    }
}
