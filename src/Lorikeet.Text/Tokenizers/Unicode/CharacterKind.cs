namespace Lorikeet.Text;

/// <summary>What the word patterns ask about a character.</summary>
[Flags]
internal enum CharacterKind : byte
{
    Other = 0,
    Letter = 1,
    Number = 2,
    Blank = 4,
    Mark = 8,
    Punctuation = 16,
    Symbol = 32,
}
