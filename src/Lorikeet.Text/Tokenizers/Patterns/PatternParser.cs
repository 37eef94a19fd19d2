using System.Globalization;
using System.Text;

namespace Lorikeet.Text;

/// <summary>
/// Reads regular expressions in the dialect of the Oniguruma library, as tokenizer files use it: <c>^</c> and <c>$</c> are borders of lines,
/// classes nest and intersect, everything works on code points.
/// </summary>
internal sealed class PatternParser
{
    private const int DeepestNesting = 60;
    private const int LargestCount = 1000;

    private readonly string _source;
    private int _at;
    private int _depth;
    private bool _ignoreCase;
    private bool _dotMatchesAll;
    private bool _extended;

    private PatternParser(string source)
    {
        _source = source;
    }

    /// <summary>Reads an expression.</summary>
    /// <exception cref="PatternException">It is broken or uses what this engine does not know.</exception>
    public static PatternNode Parse(string source)
    {
        PatternParser parser = new(source);
        PatternNode node = parser.Choice();
        return parser._at == source.Length ? node : throw parser.Error("a closing parenthesis without an opening one");
    }

    private PatternNode Choice()
    {
        if (++_depth > DeepestNesting)
            throw Error($"groups nested more than {DeepestNesting} deep");
        (bool ignoreCase, bool dotMatchesAll, bool extended) = (_ignoreCase, _dotMatchesAll, _extended);
        List<PatternNode> options = [Chain()];
        while (Take('|'))
            options.Add(Chain());
        (_ignoreCase, _dotMatchesAll, _extended) = (ignoreCase, dotMatchesAll, extended);
        _depth--;
        return options.Count == 1 ? options[0] : new PatternNode.Choice(options);
    }

    private PatternNode.Chain Chain()
    {
        List<PatternNode> parts = [];
        while (_at < _source.Length && _source[_at] is not ('|' or ')'))
        {
            if (_extended && SkipLayout())
                continue;
            PatternNode? atom = Atom();
            if (atom is not null)
                parts.Add(Quantified(atom));
        }
        return new(parts);
    }

    private bool SkipLayout()
    {
        if (_source[_at] == '#')
        {
            while (_at < _source.Length && _source[_at] != '\n')
                _at++;
            return true;
        }
        if (!char.IsWhiteSpace(_source[_at]))
            return false;
        _at++;
        return true;
    }

    private PatternNode Quantified(PatternNode atom)
    {
        while (_at < _source.Length && TryCounts(out int minimum, out int maximum, out bool braces))
        {
            RepeatMode mode = Take('?') ? RepeatMode.Lazy : !braces && Take('+') ? RepeatMode.Possessive : RepeatMode.Greedy;
            atom = new PatternNode.Repeat(atom, minimum, maximum, mode);
        }
        return atom;
    }

    private bool TryCounts(out int minimum, out int maximum, out bool braces)
    {
        (minimum, maximum, braces) = (0, -1, false);
        switch (_source[_at])
        {
            case '*':
                _at++;
                return true;
            case '+':
                _at++;
                minimum = 1;
                return true;
            case '?':
                _at++;
                maximum = 1;
                return true;
            case '{':
                braces = true;
                return TryBraces(out minimum, out maximum);
            default:
                return false;
        }
    }

    /// <summary>{n}, {n,}, {,m} or {n,m}; any other brace is a character.</summary>
    private bool TryBraces(out int minimum, out int maximum)
    {
        (minimum, maximum) = (0, -1);
        int end = _source.IndexOf('}', _at);
        if (end < 0)
            return false;
        string[] counts = _source[(_at + 1)..end].Split(',');
        if (counts.Length > 2 || counts.All(c => c.Length == 0) || !counts.All(c => c.All(char.IsAsciiDigit)))
            return false;
        int[] numbers = [.. counts.Select(c => c.Length == 0 ? -1 : c.Length > 4 ? LargestCount + 1 : int.Parse(c, CultureInfo.InvariantCulture))];
        if (numbers.Any(n => n > LargestCount))
            throw Error($"a repetition of more than {LargestCount} times");
        minimum = Math.Max(0, numbers[0]);
        maximum = counts.Length == 1 ? minimum : numbers[1];
        if (maximum >= 0 && maximum < minimum)
            throw Error("a repetition whose maximum is less than its minimum");
        _at = end + 1;
        return true;
    }

    private PatternNode? Atom()
    {
        switch (_source[_at])
        {
            case '(':
                _at++;
                return Group();
            case '[':
                _at++;
                return Set(Class());
            case '.':
                _at++;
                return new PatternNode.One(_dotMatchesAll ? CharacterSet.Any() : CharacterSet.Of('\n').Negate());
            case '^':
                _at++;
                return new PatternNode.Anchor(PatternOp.LineStart);
            case '$':
                _at++;
                return new PatternNode.Anchor(PatternOp.LineEnd);
            case '*' or '+' or '?':
                throw Error("a repetition of nothing");
            case '\\':
                return Escape();
            default:
                return Set(CharacterSet.Of(Character()));
        }
    }

    private PatternNode.One Set(CharacterSet set) => new(_ignoreCase ? set.IgnoreCase() : set);

    private PatternNode? Group()
    {
        if (!Take('?'))
            return Body();
        if (_at >= _source.Length)
            throw Error("an unfinished group");
        char kind = _source[_at++];
        switch (kind)
        {
            case ':':
                return Body();
            case '=' or '!':
                return new PatternNode.Look(Body(), Behind: false, kind == '!');
            case '>':
                return new PatternNode.Atomic(Body());
            case '#':
                _at = _source.IndexOf(')', _at) + 1;
                return _at > 0 ? null : throw Error("an unfinished comment");
            case '<' when Peek() is '=' or '!':
                bool negative = _source[_at++] == '!';
                return new PatternNode.Look(Body(), Behind: true, negative);
            case '<' or 'P' or '\'':
                SkipName(kind);
                return Body();
            default:
                _at--;
                return Options();
        }
    }

    private PatternNode Body()
    {
        PatternNode body = Choice();
        return Take(')') ? body : throw Error("an opening parenthesis without a closing one");
    }

    private void SkipName(char kind)
    {
        if (kind == 'P' && !Take('<'))
            throw Error("(?P is followed by no name");
        int end = _source.IndexOf(kind == '\'' ? '\'' : '>', _at);
        if (end <= _at || !_source[_at..end].All(c => char.IsLetterOrDigit(c) || c == '_'))
            throw Error("a group with a broken name");
        _at = end + 1;
    }

    private PatternNode? Options()
    {
        (bool ignoreCase, bool dotMatchesAll, bool extended) = (_ignoreCase, _dotMatchesAll, _extended);
        bool on = true;
        for (; _at < _source.Length; _at++)
        {
            switch (_source[_at])
            {
                case '-':
                    on = false;
                    break;
                case 'i':
                    _ignoreCase = on;
                    break;
                case 'm' or 's':
                    _dotMatchesAll = on;
                    break;
                case 'x':
                    _extended = on;
                    break;
                case 'u':
                    break;
                case ')':
                    _at++;
                    // the rest of the enclosing group, alternatives included, follows the new options
                    return IsLast() ? null : Choice();
                case ':':
                    _at++;
                    PatternNode body = Body();
                    (_ignoreCase, _dotMatchesAll, _extended) = (ignoreCase, dotMatchesAll, extended);
                    return body;
                default:
                    throw Error($"an unknown kind of group (?{_source[_at]}");
            }
        }
        throw Error("an unfinished group");
    }

    private bool IsLast() => _at >= _source.Length || _source[_at] == ')';

    private PatternNode Escape()
    {
        _at++;
        if (_at >= _source.Length)
            throw Error("a backslash at the end");
        char kind = _source[_at];
        PatternOp? anchor = kind switch
        {
            'A' => PatternOp.TextStart,
            'z' => PatternOp.TextEnd,
            'Z' => PatternOp.LastLineEnd,
            'b' => PatternOp.WordBorder,
            'B' => PatternOp.NoWordBorder,
            _ => null,
        };
        if (anchor is { } op)
        {
            _at++;
            return new PatternNode.Anchor(op);
        }
        if (kind is >= '1' and <= '9' or 'k' or 'g' or 'G' or 'K' or 'X' or 'R')
            throw Error($"\\{kind} is not supported");
        return Set(ClassEscape() ?? CharacterSet.Of(EscapedCharacter()));
    }

    /// <summary>A shorthand set behind a backslash, or null where a character stands there.</summary>
    private CharacterSet? ClassEscape()
    {
        char kind = _source[_at];
        CharacterSet? set = char.ToLowerInvariant(kind) switch
        {
            's' => CharacterProperties.Space(),
            'd' => CharacterProperties.Digit(),
            'w' => CharacterProperties.Word(),
            'h' => CharacterProperties.HexDigit(),
            'p' => Property(),
            _ => null,
        };
        if (set is null)
            return null;
        if (kind is not ('p' or 'P'))
            _at++;
        return char.IsUpper(kind) ? set.Negate() : set;
    }

    private CharacterSet Property()
    {
        _at++;
        string name;
        if (Take('{'))
        {
            int end = _source.IndexOf('}', _at);
            if (end < 0)
                throw Error("\\p{ without }");
            name = _source[_at..end];
            _at = end + 1;
        }
        else
            name = _at < _source.Length ? _source[_at++].ToString() : "";
        bool negated = name.StartsWith('^');
        CharacterSet set = CharacterProperties.Find(negated ? name[1..] : name) ?? throw Error($"the character property \"{name}\" is unknown");
        return negated ? new CharacterSet().Add(set).Negate() : set;
    }

    private int EscapedCharacter()
    {
        char kind = _source[_at++];
        return kind switch
        {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'f' => '\f',
            'v' => '\v',
            'a' => '\a',
            'e' => '\u001B',
            '0' => '\0',
            'x' => Take('{') ? HexadecimalTo('}') : Hexadecimal(1, 2),
            'u' => Take('{') ? HexadecimalTo('}') : Hexadecimal(4, 4),
            _ when char.IsAsciiLetterOrDigit(kind) => throw Error($"\\{kind} is not supported"),
            _ => CharacterBack(),
        };
    }

    private int CharacterBack()
    {
        _at--;
        return Character();
    }

    private int Character()
    {
        Rune.DecodeFromUtf16(_source.AsSpan(_at), out Rune rune, out int units);
        _at += units;
        return rune.Value;
    }

    private int HexadecimalTo(char end)
    {
        int value = Hexadecimal(1, 6);
        return Take(end) ? value : throw Error($"a hexadecimal character without {end}");
    }

    private int Hexadecimal(int fewest, int most)
    {
        int start = _at;
        while (_at < _source.Length && _at - start < most && char.IsAsciiHexDigit(_source[_at]))
            _at++;
        if (_at - start < fewest)
            throw Error("a broken hexadecimal character");
        int value = int.Parse(_source.AsSpan(start, _at - start), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return Rune.IsValid(value) ? value : throw Error("a hexadecimal number that is no character");
    }

    /// <summary>What stands between brackets, the opening one read already.</summary>
    private CharacterSet Class()
    {
        if (++_depth > DeepestNesting)
            throw Error($"classes nested more than {DeepestNesting} deep");
        bool negated = Take('^');
        CharacterSet set = new();
        CharacterSet? whole = null;
        bool first = true;
        while (true)
        {
            if (_at >= _source.Length)
                throw Error("[ without ]");
            char c = _source[_at];
            if (c == ']' && !first)
            {
                _at++;
                break;
            }
            first = false;
            if (c == '&' && _at + 1 < _source.Length && _source[_at + 1] == '&')
            {
                _at += 2;
                whole = Intersection(whole, set);
                set = new();
            }
            else if (c == '[')
                set.Add(_at + 1 < _source.Length && _source[_at + 1] == ':' ? NamedClass() : Nested());
            else
                AddRange(set);
        }
        _depth--;
        whole = Intersection(whole, set);
        return negated ? new CharacterSet().Add(whole).Negate() : whole;
    }

    private static CharacterSet Intersection(CharacterSet? left, CharacterSet right) => left is null ? right : left.Intersect(right);

    private CharacterSet Nested()
    {
        _at++;
        return Class();
    }

    private CharacterSet NamedClass()
    {
        int end = _source.IndexOf(":]", _at, StringComparison.Ordinal);
        if (end < 0)
            return Nested();
        string name = _source[(_at + 2)..end];
        bool negated = name.StartsWith('^');
        CharacterSet set = CharacterProperties.Find(negated ? name[1..] : name) ?? throw Error($"the character class \"[:{name}:]\" is unknown");
        _at = end + 2;
        return negated ? new CharacterSet().Add(set).Negate() : set;
    }

    private void AddRange(CharacterSet set)
    {
        int? first = ClassCharacter(set);
        if (first is null || Peek() != '-' || _at + 1 >= _source.Length || _source[_at + 1] is ']' or '[')
        {
            if (first is { } single)
                set.AddRange(single, single);
            return;
        }
        _at++;
        int? last = ClassCharacter(set);
        if (last is null)
        {
            set.AddRange(first.Value, first.Value).AddRange('-', '-');
            return;
        }
        if (last < first)
            throw Error("a range of characters that runs backwards");
        set.AddRange(first.Value, last.Value);
    }

    /// <summary>A character within brackets; null where a shorthand set was added instead.</summary>
    private int? ClassCharacter(CharacterSet set)
    {
        if (_source[_at] != '\\')
            return Character();
        if (++_at >= _source.Length)
            throw Error("a backslash at the end");
        if (_source[_at] == 'b')
        {
            _at++;
            return '\b';
        }
        if (ClassEscape() is not { } shorthand)
            return EscapedCharacter();
        set.Add(shorthand);
        return null;
    }

    private char Peek() => _at < _source.Length ? _source[_at] : '\0';

    private bool Take(char c)
    {
        if (Peek() != c || _at >= _source.Length)
            return false;
        _at++;
        return true;
    }

    private PatternException Error(string what) => new($"the regular expression \"{_source}\" cannot be used: {what} (at character {_at + 1})");
}
