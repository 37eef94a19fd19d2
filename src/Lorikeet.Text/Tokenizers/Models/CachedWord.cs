namespace Lorikeet.Text;

/// <summary>A word and its tokens, with their places in UTF-16 units of the word. Most words are one token: it lies in the object itself.</summary>
internal sealed class CachedWord
{
    private readonly int _id;
    private readonly int[]? _ids;
    private readonly (int Start, int End)[]? _places;

    public CachedWord(string word, ReadOnlySpan<(int Id, int Start, int End)> tokens, int offset)
    {
        Word = word;
        if (tokens.Length == 1 && tokens[0].Start == offset && tokens[0].End == offset + word.Length)
        {
            _id = tokens[0].Id;
            return;
        }
        _ids = new int[tokens.Length];
        _places = new (int, int)[tokens.Length];
        for (int i = 0; i < tokens.Length; i++)
        {
            _ids[i] = tokens[i].Id;
            _places[i] = (tokens[i].Start - offset, tokens[i].End - offset);
        }
    }

    public string Word { get; }

    /// <summary>Number of tokens.</summary>
    public int Count => _ids?.Length ?? 1;

    /// <summary>A token and its place.</summary>
    public (int Id, int Start, int End) this[int index] =>
        _ids is null ? (_id, 0, Word.Length) : (_ids[index], _places![index].Start, _places[index].End);
}
